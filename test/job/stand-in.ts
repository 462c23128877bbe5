// A stand-in for docker, for machines without a container engine: it understands what `docker` is asked for by job/container.ts,
// and runs a local program where docker would run an image. It isolates nothing; what it was asked for is recorded.
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const SCRIPT = `#!${process.execPath}
const { spawn } = require('node:child_process');
const { appendFileSync, existsSync, readFileSync, readdirSync, rmSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const home = process.env.STAND_IN;
const [command, ...args] = process.argv.slice(2);
appendFileSync(join(home, 'log'), JSON.stringify({ command, args, env: Object.keys(process.env) }) + '\\n');
const images = readdirSync(join(home, 'images'));
const idOf = (name) => 'sha256:' + Buffer.from(name).toString('hex').padEnd(64, '0');
const nameOf = (image) => image.split('/').at(-1).split(/[:@]/)[0];
const fail = (message, status = 1) => { console.error(message); process.exit(status); };
switch (command) {
  case 'info': break;
  case 'pull':
    if (!images.includes(nameOf(args.at(-1)))) fail('Error response from daemon: manifest unknown');
    break;
  case 'image': {
    const name = nameOf(args.at(-1));
    if (!images.includes(name)) fail('Error: No such image');
    console.log(idOf(name) + ' ' + JSON.stringify(['example.com/' + name + '@sha256:' + 'd'.repeat(64)]));
    break;
  }
  case 'run': {
    const at = args.findIndex((arg) => !arg.startsWith('--'));
    const options = Object.fromEntries(args.slice(0, at).map((arg) => arg.slice(2).split(/=(.*)/s)));
    const env = Object.fromEntries(args.filter((arg) => arg.startsWith('--env=')).map((arg) => arg.slice(6).split(/=(.*)/s)));
    const image = images.find((name) => idOf(name) === args[at]);
    const source = /source=([^,]*)/.exec(options.mount ?? '')?.[1] ?? '/';
    // As nobody, where that can be: it shows whether the files may be written.
    const own = process.getuid() === 0 && options.mount ? { uid: 65534, gid: 65534 } : {};
    const child = spawn(join(home, 'images', image), args.slice(at + 1), { cwd: source, env: { PATH: process.env.PATH, ...env }, stdio: 'inherit', ...own });
    writeFileSync(join(home, 'pid-' + options.name), String(child.pid));
    child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGKILL' ? 137 : 143)));
    break;
  }
  case 'inspect': console.log(String(existsSync(join(home, 'oom')))); break;
  case 'rm': {
    const file = join(home, 'pid-' + args.at(-1));
    if (existsSync(file)) { try { process.kill(Number(readFileSync(file, 'utf8')), 'SIGKILL'); } catch {} rmSync(file); }
    break;
  }
  default: fail('stand-in: ' + command + ' is not known', 125);
}
`;

export interface StandIn {
  /** For PATH, and what tells the stand-in where it is. */
  environment: NodeJS.ProcessEnv;
  /** Makes an image of a program's text. */
  image(name: string, text: string): void;
  /** What it was asked for. */
  asked(): { command: string; args: string[]; env: string[] }[];
  /** Says from now on that a container that was killed had no memory left. */
  outOfMemory(): void;
}

export function makeStandIn(home: string, name = 'docker'): StandIn {
  const [place, bin] = [join(home, 'stand-in'), join(home, `bin-${name}`)];
  mkdirSync(join(place, 'images'), { recursive: true });
  mkdirSync(bin, { recursive: true });
  // Nobody must find its programs.
  chmodSync(home, 0o711);
  writeFileSync(join(bin, name), SCRIPT, { mode: 0o755 });
  writeFileSync(join(place, 'log'), '');
  return {
    environment: { PATH: `${bin}:/usr/bin:/bin`, STAND_IN: place },
    image: (image, text) => writeFileSync(join(place, 'images', image), text, { mode: 0o755 }),
    asked: () =>
      readFileSync(join(place, 'log'), 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as ReturnType<StandIn['asked']>[number]),
    outOfMemory: () => writeFileSync(join(place, 'oom'), ''),
  };
}

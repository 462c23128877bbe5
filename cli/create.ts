import { Option } from 'commander';
import { buildObject, pairs, type Given, type Identity } from '../api/options.ts';
import type { Io } from '../fn/io.ts';
import { DONE } from '../fn/status.ts';
import { UsageError } from '../fn/usage.ts';
import { carryOut, type Parsed } from './command.ts';
import { print } from './output.ts';
import type { CommandSpec } from './spec.ts';
import { create as specs, created } from './specs/create.ts';

interface Options extends Record<string, string | boolean | string[] | undefined> {
  namespace?: string;
  export?: boolean;
  label: string[];
  annotation: string[];
}

/** A command that prints an object of a kind, by the words of its name: `create policy`. */
export function creating(name: string) {
  const spec = specs.find((spec) => spec.name === name)!;
  const { kind } = created[name]!;
  return async (argv: string[], io: Io): Promise<number> =>
    carryOut(spec, argv, io, async ({ options, operands }: Parsed<Options>) => {
      const object = await buildObject(kind, identityOf(options, operands), givenOf(spec, options));
      if (!options.export)
        throw new UsageError(
          'nothing is sent to a cluster: add --export, and apply what is printed with: | kubectl apply -f -',
        );
      io.output(await print('yaml', object));
      return DONE;
    });
}

function identityOf({ namespace, label, annotation }: Options, operands: Parsed<Options>['operands']): Identity {
  const [name, more] = operands;
  if (name === undefined) throw new UsageError('say how the object is called: NAME');
  if (more !== undefined) throw new UsageError(`one NAME is enough; what is "${more}"?`);
  return {
    name,
    ...(namespace !== undefined && { namespace }),
    ...(label.length > 0 && { labels: pairs('label', label) }),
    ...(annotation.length > 0 && { annotations: pairs('annotation', annotation) }),
  };
}

/** What was given of the spec. An option that may be repeated is an empty list where it was not. */
function givenOf({ options: declared }: CommandSpec, options: Options): Given {
  const given = new Map<string, string | boolean | readonly string[]>();
  for (const { flags } of declared) {
    const option = new Option(flags);
    const value = options[option.attributeName()];
    const isField = !OTHERS.has(option.attributeName()) && !option.negate;
    if (isField && value !== undefined && !(Array.isArray(value) && value.length === 0))
      given.set(option.name(), value);
  }
  return given;
}

const OTHERS = new Set(['namespace', 'export', 'label', 'annotation']);

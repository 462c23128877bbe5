// The pure functions of git/: URLs, paths, refs, what programs say, Secrets and environments.
import t, { type Test } from 'tap';
import { credentialsFromEnvironment } from '../../git/environment.ts';
import { GitError } from '../../git/error.ts';
import { hasTrailer } from '../../git/exactly-once.ts';
import { failureOf, pushFailure } from '../../git/failure.ts';
import { pathProblem } from '../../git/path.ts';
import { isNewEnough } from '../../git/program.ts';
import { redact } from '../../git/redact.ts';
import { checkRef } from '../../git/ref.ts';
import { accessFromSecret } from '../../git/secret.ts';
import { canonicalUrl, checkUrl, sshUrl, urlProblem } from '../../git/url.ts';
import * as cases from '../fixtures/git/text.ts';

/** The value of a call, or its error as `Class: message`. */
function outcome(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    return `${error.class}: ${error.message}`;
  }
}

function matches(t: Test, call: () => unknown, wanted: unknown, name: string): void {
  const got = outcome(call);
  if (typeof wanted === 'string') t.ok(String(got).startsWith(wanted), `${name}: ${String(got)}`);
  else t.strictSame(got, wanted, name);
}

t.test('URLs', async (t) => {
  for (const [given, wanted] of cases.sshUrls) t.equal(sshUrl(given), wanted, given);
  for (const [url, problem] of cases.urls) {
    const said = urlProblem(url);
    if (problem === undefined) t.equal(said, undefined, url);
    else t.match(said ?? '', problem, `${url.slice(0, 80)}: ${said}`);
    if (problem === undefined) t.equal(checkUrl(url).href, url);
    else
      t.notMatch(
        outcome(() => checkUrl(url)),
        'canary',
        'an error holds no password',
      );
  }
  t.equal(urlProblem('http://h/r', ['http:']), undefined, 'a caller allows more');
  const names = cases.sameRepository.map((urls) => [...new Set(urls.map(canonicalUrl))]);
  for (const [i, canonical] of names.entries()) t.equal(canonical.length, 1, String(cases.sameRepository[i]));
  t.equal(new Set(names.flat()).size, names.length, 'and other repositories have other names');
});

t.test('paths that a commit may touch', async (t) => {
  for (const path of cases.goodPaths) t.equal(pathProblem(path), undefined, path);
  for (const [path, why] of cases.badPaths)
    t.ok(pathProblem(path)?.includes(why), `${JSON.stringify(path.slice(0, 40))}: ${pathProblem(path)}`);
});

t.test('refs', async (t) => {
  for (const ref of cases.goodRefs) t.doesNotThrow(() => checkRef(ref), ref);
  for (const ref of cases.badRefs)
    t.match(
      outcome(() => checkRef(ref)),
      /^RefNotFound: /,
      JSON.stringify(ref.slice(0, 40)),
    );
});

t.test('what git and ssh say', async (t) => {
  for (const [stderr, wanted] of cases.failures) t.equal(failureOf('fetching', stderr).class, wanted, stderr);
  for (const [summary, wanted] of cases.rejections) {
    const { class: errorClass, message } = pushFailure(
      'the push',
      `To h\n!\ta:refs/heads/main\t${summary}\nDone\n`,
      'remote: RULE 7',
    );
    t.equal(errorClass, wanted, summary);
    t.match(message, 'RULE 7', "the server's own words are shown");
  }
  t.equal(pushFailure('the push', '', 'fatal: the receiving end does not support push options').class, 'PushRefused');
  for (const [text, wanted] of cases.redactions) t.equal(redact(text, ['canary-123', 'a']), wanted);
  for (const [said, isEnough] of cases.versions) t.equal(isNewEnough(said), isEnough, said);
});

t.test('Secrets and the environment', async (t) => {
  for (const [data, url, wanted] of cases.secrets)
    matches(t, () => accessFromSecret(data, url), wanted, `${Object.keys(data).join()} for ${url}`);
  const read = (path: string) => {
    if (path === 'missing') throw new Error('no such file');
    return path;
  };
  for (const [env, url, wanted] of cases.environments)
    matches(t, () => credentialsFromEnvironment(url, env, read), wanted, `${Object.keys(env).join()} for ${url}`);
});

t.test('trailers', async (t) => {
  for (const [message, has] of cases.trailers)
    t.equal(hasTrailer(message, { key: 'Update-Job', value: 'ns/a/1' }), has, JSON.stringify(message));
});

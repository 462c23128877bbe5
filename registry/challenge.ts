/** One challenge of `WWW-Authenticate` (RFC 9110 §11.6.1); scheme and names of parameters in lower case. */
export interface AuthChallenge {
  scheme: string;
  parameters: Readonly<Record<string, string>>;
}

const TOKEN = /[\w!#$%&'*+.^`|~-]+/y;
const VALUE = /\s*=\s*(?:"((?:[^"\\]|\\.)*)"?|([^\s,"]*))/y;

/**
 * Reads all challenges of all headers: a server may send several headers, several challenges in one, commas inside of
 * quotes, and values without quotes. What is no challenge is passed over.
 */
export function readChallenges(headers: readonly string[]): AuthChallenge[] {
  return headers.flatMap(readHeader);
}

function readHeader(text: string): AuthChallenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = [];
  for (let at = 0; at < text.length;) {
    TOKEN.lastIndex = at;
    const [word] = TOKEN.exec(text) ?? [];
    if (word === undefined) {
      at++;
      continue;
    }
    at += word.length;
    VALUE.lastIndex = at;
    const value = VALUE.exec(text);
    if (!value) {
      challenges.push({ scheme: word.toLowerCase(), parameters: {} });
      continue;
    }
    at += value[0].length;
    const parameters = challenges.at(-1)?.parameters;
    // The first of two with one name counts.
    if (parameters) parameters[word.toLowerCase()] ??= value[1]?.replace(/\\(.)/g, '$1') ?? value[2]!;
  }
  return challenges;
}

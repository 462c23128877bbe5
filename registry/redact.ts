/** Shorter texts are no secrets that could be taken out without mangling every message. */
const MIN_SECRET = 4;
const HIDDEN = '<hidden>';
/** Bearer and Basic headers, and JWTs, whoever's they are. */
const LOOKS_SECRET = /\b(?:Bearer|Basic)\s+[\w.~+/=-]{8,}|\beyJ[\w-]{10,}\.[\w-]+(?:\.[\w-]*)?/g;

/**
 * Knows every secret that was obtained in the run, and takes them out of messages (reference/controllers.md F14). Messages
 * are made without secrets; this is the second net, for what a registry or a helper program echoes.
 */
export class Redactor {
  #secrets = new Set<string>();

  /** Remembers a secret in the spellings in which it could come back: as it is, percent-encoded, in base64, in JSON. */
  add(secret: string): void {
    if (secret.length < MIN_SECRET) return;
    const base64 = Buffer.from(secret).toString('base64');
    const spellings = [
      secret,
      encodeURIComponent(secret),
      base64,
      base64.replace(/=+$/, ''),
      JSON.stringify(secret).slice(1, -1),
    ];
    for (const spelling of spellings) this.#secrets.add(spelling);
  }

  /** Remembers a password, and the header that it makes with its user. */
  addLogin(username: string, password: string): void {
    this.add(password);
    this.add(`${username}:${password}`);
  }

  text(message: string): string {
    let clean = message.replace(LOOKS_SECRET, HIDDEN);
    // The longest first: a secret may be part of another.
    for (const secret of [...this.#secrets].toSorted((a, b) => b.length - a.length))
      if (clean.includes(secret)) clean = clean.replaceAll(secret, HIDDEN);
    return clean;
  }
}

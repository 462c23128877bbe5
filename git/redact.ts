/** What stands where a secret or a control character stood. */
const HIDDEN = '[redacted]';
/** Texts shorter than this are not looked for: hiding every `a` would hide nothing. */
const MIN_SECRET = 4;

/**
 * Makes what a program printed fit to be shown: no secret of ours in any form it may have been sent in, no user info in
 * a URL, no control character of a terminal (the server's own words are among it).
 */
export function redact(text: string, secrets: readonly string[]): string {
  const forms = secrets.filter(({ length }) => length >= MIN_SECRET).toSorted((a, b) => b.length - a.length);
  let shown = text;
  for (const secret of forms) shown = shown.replaceAll(secret, HIDDEN);
  return (
    shown
      .replaceAll(/\b([a-z][a-z+.-]*:\/\/)[^\s/@]+@/gi, (_, scheme: string) => `${scheme}${HIDDEN}@`)
      .replaceAll(/\r\n?/g, '\n')
      // oxlint-disable-next-line no-control-regex -- they are what is taken out
      .replaceAll(/[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u200B-\u200F\u202A-\u202E\u2066-\u2069]/g, ' ')
  );
}

/** The forms in which a secret travels. */
export function formsOf(secret: string): string[] {
  return [secret, encodeURIComponent(secret), ...secret.split('\n').filter((line) => line.length > 20)];
}

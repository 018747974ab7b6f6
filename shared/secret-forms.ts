import { Buffer } from 'node:buffer';

/** With fewer bytes, what encodes them is part of too many other words. */
const SHORTEST_ENCODED = 8;

/**
 * The forms in which programs write a text down: quoted for JSON, HTML, shells, SQL, URLs, crontabs and configuration
 * files. Not all that there are: what is compressed, hashed, encrypted or encoded twice looks like nothing known.
 */
export function writtenForms(text: string): readonly string[] {
  if (!/[^\w.-]/u.test(text)) return [];
  const forms = [jsonForms, htmlForms, shellForms, quotedForms, urlForms];
  return [...new Set(forms.flatMap((formsOf) => formsOf(text)))].filter((form) => form !== text);
}

/** In base64, by itself or within something longer, and in hexadecimal digits; none of what is too short to be found by that. */
export function encodedForms(text: string): readonly string[] {
  const bytes = Buffer.from(text);
  if (bytes.length < SHORTEST_ENCODED) return [];
  const base64 = [0, 1, 2].map((offset) => base64At(bytes, offset));
  const url = base64.map((form) => form.replaceAll('+', '-').replaceAll('/', '_'));
  const hex = bytes.toString('hex');
  return [...new Set([...base64, ...url, hex, hex.toUpperCase()])];
}

/** Of its base64 so many bytes behind a beginning what is the same whatever stands before and behind it. */
function base64At(bytes: Uint8Array, offset: number): string {
  const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
  const first = Math.ceil((offset * 8) / 6);
  const last = Math.floor(((offset + bytes.length) * 8) / 6);
  return text.slice(first, last);
}

function jsonForms(text: string): string[] {
  const json = JSON.stringify(text).slice(1, -1);
  const ascii = json.replaceAll(/[^\0-\x7F]/gu, (letter) => unicodeEscape(letter));
  return [json, ascii].flatMap((form) => [
    form,
    form.replaceAll(/[<>&']/gu, (letter) => unicodeEscape(letter)),
    form.replaceAll('/', String.raw`\/`),
  ]);
}

function unicodeEscape(letter: string): string {
  const units = Array.from({ length: letter.length }, (_, index) => letter.charCodeAt(index));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
}

function htmlForms(text: string): string[] {
  const plain = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return QUOTES.map(([double, single]) => plain.replaceAll('"', double).replaceAll("'", single));
}

const QUOTES = [
  ['"', "'"],
  ['&quot;', "'"],
  ['&quot;', '&#x27;'],
  ['&quot;', '&#39;'],
  ['&#34;', '&#39;'],
] as const;

/** Within quotes, and as `printf %q` of bash writes it. */
function shellForms(text: string): string[] {
  const quoted = [String.raw`'\''`, `'"'"'`].map((quote) => text.replaceAll("'", () => quote));
  return [
    ...quoted,
    ...quoted.map((form) => form.replaceAll('%', () => String.raw`'\%'`)),
    text.replaceAll(/[\s"'\\|&;()<>!{}*[\]?^$`,]|^[#~]/gu, String.raw`\$&`),
    text
      .replaceAll(/['\\]/gu, String.raw`\$&`)
      .replaceAll('\n', String.raw`\n`)
      .replaceAll('\t', String.raw`\t`),
  ];
}

function quotedForms(text: string): string[] {
  return [
    text.replaceAll('%', '%%'),
    text.replaceAll('\\', String.raw`\\`).replaceAll("'", "''"),
    text.replaceAll("'", "''"),
    text.replaceAll(/["'\\$`]/gu, String.raw`\$&`),
  ];
}

function urlForms(text: string): string[] {
  const all = percentEncoded(text, /[\w.~-]/u);
  return [
    all,
    all.replaceAll(/%../gu, (byte) => byte.toLowerCase()),
    all.replaceAll('%20', '+'),
    percentEncoded(text, /[\w.~!'()*-]/u),
    percentEncoded(text, /[\w.~/-]/u),
  ];
}

function percentEncoded(text: string, kept: RegExp): string {
  return [...text].map((letter) => (kept.test(letter) ? letter : percents(letter))).join('');
}

function percents(letter: string): string {
  return [...Buffer.from(letter)]
    .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
    .join('');
}

import { withoutControls } from './json-text.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** Facts about one event: plain data, never a secret. */
export type LogFields = Readonly<Record<string, unknown>>;

/** `message` is constant and in the past tense; what varies stands in `fields`. */
type Write = (fields: LogFields, message: string) => void;

export interface Logger {
  readonly debug: Write;
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
  /** The same log, with these fields in every line. */
  child(fields: LogFields): Logger;
}

export interface LoggerOptions {
  readonly name: string;
  readonly level: LogLevel;
  /** Takes one whole line, with its end. */
  readonly write: (line: string) => void;
  /** `journal`: text with the syslog level that journald reads; default: one JSON object a line. */
  readonly format?: 'json' | 'journal';
  readonly now?: () => Date;
}

/** A log of one event a line. Control characters are escaped, whoever they came from. */
export function createLogger(options: LoggerOptions, bound: LogFields = {}): Logger {
  const { level, write, format = 'json', name, now = () => new Date() } = options;
  const at = (lineLevel: LogLevel): Write => {
    if (LOG_LEVELS.indexOf(lineLevel) < LOG_LEVELS.indexOf(level)) return () => undefined;
    return (fields, message) => {
      const all = { ...bound, ...fields };
      if (format === 'journal') write(journalLine(lineLevel, message, all));
      else
        write(
          `${toJson({ time: now().toISOString(), level: lineLevel, name, message, ...all })}\n`,
        );
    };
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => createLogger(options, { ...bound, ...fields }),
  };
}

/** What a program writes to standard error: journald's format when the journal reads it. */
export function logFormat(environment: NodeJS.ProcessEnv): 'json' | 'journal' {
  return environment['JOURNAL_STREAM'] === undefined ? 'json' : 'journal';
}

const SYSLOG = { debug: 7, info: 6, warn: 4, error: 3 } as const;

function journalLine(level: LogLevel, message: string, fields: LogFields): string {
  const words = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${shown(value)}`);
  return `<${SYSLOG[level]}>${escapeControls([message, ...words].join(' '))}\n`;
}

function shown(value: unknown): string {
  return typeof value === 'string' && /^[^\s"=]+$/u.test(value) ? value : toJson(value);
}

/** An error keeps its words and stack; JSON escapes the other control characters by itself. */
function toJson(value: unknown): string {
  const text = JSON.stringify(value, (_key, inner: unknown) =>
    inner instanceof Error ? { ...inner, message: inner.message, stack: inner.stack } : inner,
  );
  return withoutControls(text);
}

/** A text that cannot move a cursor, ring, start a line, or make what follows read backwards: `\x1b` for the escape character. */
export function escapeControls(text: string): string {
  return text.replaceAll(
    // oxlint-disable-next-line no-control-regex -- they are what is looked for
    /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

// oxlint-disable-next-line no-control-regex -- it is what colours begin with
const HARMLESS = /(\u001b\[[\d;]*m|[\n\t])/u;

/** What is about to be shown, of which nothing acts on a terminal but colours, ends of lines and tabs. */
export function harmless(text: string): string {
  const parts = text.split(HARMLESS);
  return parts.map((part) => (HARMLESS.test(part) ? part : escapeControls(part))).join('');
}

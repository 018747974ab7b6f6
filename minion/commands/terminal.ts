import { escapeControls } from '../../shared/log.ts';
import { outliveOutputs } from '../../shared/outputs.ts';
import { wantsColor } from '../../shared/render-run.ts';

/** The terminal, or what stands in its place: all that commands know of where they print to. */
export interface Terminal {
  /** Results. */
  out(line: string): void;
  /** Everything that is no result. */
  err(line: string): void;
  /** A content as it is; where a person looks at it, nothing in it can act. */
  print(content: Uint8Array): void;
  readonly color: boolean;
  /** All of standard input. */
  input(): Promise<string>;
  readonly environment: NodeJS.ProcessEnv;
}

export function realTerminal(): Terminal {
  const { stdout, stderr, stdin, env } = process;
  outliveOutputs(process);
  return {
    out: (line) => void stdout.write(`${line}\n`),
    err: (line) => void stderr.write(`${line}\n`),
    print: (content) => void stdout.write(stdout.isTTY ? visible(content) : content),
    color: wantsColor(stdout, env),
    input: async () => {
      const parts: Buffer[] = [];
      for await (const part of stdin) if (Buffer.isBuffer(part)) parts.push(part);
      return Buffer.concat(parts).toString('utf8');
    },
    environment: env,
  };
}

function visible(content: Uint8Array): string {
  const text = Buffer.from(content).toString('utf8');
  return text.replaceAll(/[^\n\t]+/gu, escapeControls);
}

import { performance } from 'node:perf_hooks';
import { styleText } from 'node:util';
import type { Argv, Output } from '../test/hosts/command.ts';
import type { ExecOptions } from '../test/hosts/access.ts';
import type { Host } from '../test/hosts/host.ts';

/** Tells what goes on, and how long each part of it took. */
export interface Narrator {
  /** Begins a part; the one before has ended. */
  phase(name: string, words: string): void;
  /** Ends the last part. Seconds by the name of the part. */
  end(): Readonly<Record<string, number>>;
  readonly say: (line: string) => void;
  /** Runs a command on a host as somebody at its terminal would see it. */
  show(host: Host, argv: Argv, options?: ExecOptions): Promise<Output>;
}

export function createNarrator(): Narrator {
  const seconds: Record<string, number> = {};
  let current: { name: string; begun: number } | null = null;

  function close(): void {
    if (current === null) return;
    const passed = (performance.now() - current.begun) / 1000;
    seconds[current.name] = Math.round(passed * 10) / 10;
    print(painted('dim', `   (${current.name}: ${passed.toFixed(1)} s)`));
    current = null;
  }

  return {
    phase(name, words) {
      close();
      current = { name, begun: performance.now() };
      print(`\n${painted(['bold', 'cyan'], `== ${words}`)}`);
    },
    end() {
      close();
      return seconds;
    },
    say: (line) => print(`   ${line}`),
    async show(host, argv, options = {}) {
      print(painted('bold', `root@${host.name}:~# ${argv.map(quoted).join(' ')}`));
      return host.exec(argv, { ...options, onOutput: indented() });
    },
  };
}

/** Prints whole lines as they come, a little to the right. */
function indented(): (text: string) => void {
  let rest = '';
  return (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) print(`   ${line}`);
  };
}

function quoted(word: string): string {
  return /^[\w@%+=:,./*-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function painted(style: Parameters<typeof styleText>[0], text: string): string {
  return process.stdout.isTTY ? styleText(style, text) : text;
}

function print(line: string): void {
  console.log(line);
}

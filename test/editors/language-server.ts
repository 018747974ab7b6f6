import { spawn } from 'node:child_process';
import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { z } from 'zod';

const position = z.object({ line: z.number(), character: z.number() });
const diagnostic = z.object({ message: z.string(), range: z.object({ start: position }) });
const message = z.object({
  id: z.union([z.number(), z.string()]).optional(),
  method: z.string().optional(),
  params: z.unknown().optional(),
  result: z.unknown().optional(),
  error: z.unknown().optional(),
});
const published = z.object({ uri: z.string(), diagnostics: z.array(diagnostic) });
const completions = z.object({
  items: z.array(z.object({ label: z.string(), documentation: z.unknown().optional() })),
});
const hovered = z.object({ contents: z.object({ value: z.string() }) }).nullable();

export type Diagnostic = z.infer<typeof diagnostic>;

/** A real YAML language server, as editors start it, that speaks over its standard streams. */
export interface LanguageServer {
  /** Opens a document and gives what is wrong with it. */
  open(uri: string, text: string): Promise<readonly Diagnostic[]>;
  /** The labels that are offered at the `|` of a document, which is taken out of it. */
  complete(uri: string, marked: string): Promise<readonly string[]>;
  /** The text that is shown for the `|` of a document. */
  hover(uri: string, marked: string): Promise<string>;
  close(): Promise<void>;
}

/** `settings` are those of the section `yaml`. */
export async function startLanguageServer(
  root: string,
  settings: Readonly<Record<string, unknown>>,
): Promise<LanguageServer> {
  const packageFile = createRequire(import.meta.url).resolve('yaml-language-server/package.json');
  const program = join(dirname(packageFile), 'bin/yaml-language-server');
  const server = spawn(process.execPath, [program, '--stdio'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const waiting = new Map<number, (result: unknown) => void>();
  const diagnosed = new Map<string, (found: readonly Diagnostic[]) => void>();
  let next = 1;

  function send(body: Readonly<Record<string, unknown>>): void {
    const text = JSON.stringify({ jsonrpc: '2.0', ...body });
    server.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  }

  async function request(method: string, params: unknown): Promise<unknown> {
    const id = next;
    next += 1;
    const answer = new Promise((resolve) => waiting.set(id, resolve));
    send({ id, method, params });
    return answer;
  }

  function receive(text: string): void {
    const { id, method, params, result, error } = message.parse(JSON.parse(text));
    if (method === 'textDocument/publishDiagnostics') {
      const { uri, diagnostics } = published.parse(params);
      diagnosed.get(uri)?.(diagnostics);
    } else if (method === 'workspace/configuration') {
      const { items } = z
        .object({ items: z.array(z.object({ section: z.string() })) })
        .parse(params);
      send({ id, result: items.map(({ section }) => (section === 'yaml' ? settings : {})) });
    } else if (method !== undefined) {
      if (id !== undefined) send({ id, result: null });
    } else if (typeof id === 'number') {
      if (error !== undefined) throw new Error(JSON.stringify(error));
      waiting.get(id)?.(result);
    }
  }

  let buffer = Buffer.alloc(0);
  server.stdout.on('data', (chunk: Buffer) => {
    buffer = Buffer.concat([buffer, chunk]);
    for (;;) {
      const head = /^[^]*?Content-Length: (\d+)[^]*?\r\n\r\n/u.exec(buffer.toString('latin1'));
      const length = Number(head?.[1] ?? 0);
      const start = head?.[0].length ?? 0;
      if (head === null || buffer.length < start + length) return;
      const text = buffer.subarray(start, start + length).toString('utf8');
      buffer = buffer.subarray(start + length);
      receive(text);
    }
  });

  await request('initialize', {
    processId: process.pid,
    rootUri: `file://${root}`,
    workspaceFolders: [{ uri: `file://${root}`, name: 'tree' }],
    capabilities: {
      workspace: { configuration: true, workspaceFolders: true },
      textDocument: {
        hover: { contentFormat: ['markdown'] },
        completion: { completionItem: { snippetSupport: true } },
      },
    },
  });
  send({ method: 'initialized', params: {} });
  send({ method: 'workspace/didChangeConfiguration', params: { settings: { yaml: settings } } });

  async function open(uri: string, text: string): Promise<readonly Diagnostic[]> {
    const found = new Promise<readonly Diagnostic[]>((resolve) => diagnosed.set(uri, resolve));
    send({
      method: 'textDocument/didOpen',
      params: { textDocument: { uri, languageId: 'yaml', version: 1, text } },
    });
    return found;
  }

  async function at(method: string, uri: string, marked: string): Promise<unknown> {
    const offset = marked.indexOf('|');
    const before = marked.slice(0, offset).split('\n');
    await open(uri, before.join('\n') + marked.slice(offset + 1));
    const position = { line: before.length - 1, character: before.at(-1)?.length ?? 0 };
    return request(method, { textDocument: { uri }, position });
  }

  return {
    open,
    async complete(uri, marked) {
      const { items } = completions.parse(await at('textDocument/completion', uri, marked));
      return items.map(({ label }) => label);
    },
    async hover(uri, marked) {
      const found = hovered.parse(await at('textDocument/hover', uri, marked));
      return found?.contents.value ?? '';
    },
    async close() {
      await request('shutdown', null);
      send({ method: 'exit' });
      await once(server, 'exit');
    },
  };
}

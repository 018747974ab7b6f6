import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '../test/hosts/host.ts';
import type { Site } from './hosts.ts';
import type { Narrator } from './narrate.ts';

const REPO = 'git://conductor/hello.git';

/** The first eKnight, as somebody would add it: one command. */
export async function addFirst({ conductor }: Site, narrator: Narrator): Promise<void> {
  const flags = [
    '--repo',
    REPO,
    '--ref',
    'main',
    '--domain',
    'hello.demo',
    '--database',
    'postgres',
  ];
  await narrator.show(conductor, ['master', 'new', 'eknight', 'hello', ...flags]);
}

/** The second, on another kind of database: one file that is put into the tree. */
export async function addSecond({ conductor }: Site, narrator: Narrator): Promise<void> {
  const key = await sealed(conductor, randomBytes(32).toString('base64url'));
  const password = await sealed(conductor, randomBytes(18).toString('base64url'));
  const path = '/srv/conductor/pillars/eknights/greetings.yaml';
  const content = `# A second eKnight from the same repository, with a database in MariaDB.
eknights:
  greetings:
    repo: ${REPO}
    ref: main
    project: hello
    domain: greetings.demo
    workers: 1
    secret_key: ${key}
    database:
      engine: mysql
      password: ${password}
`;
  await conductor.write(path, content);
  narrator.say(`wrote ${path} on ${conductor.name}:`);
  for (const line of content.trimEnd().split('\n')) {
    narrator.say(`  ${line.replace(/(!sealed ".{12}).*"/, '$1…"')}`);
  }
}

async function sealed(conductor: Host, text: string): Promise<string> {
  const { stdout } = await conductor.exec(['master', 'seal'], { input: text });
  return stdout.trim();
}

/** The home page of an eKnight, through nginx, from outside; `null` if it is not what it should be. */
export async function fetchPage(host: Host, domain: string): Promise<string | null> {
  for (let tries = 0; tries < 20; tries += 1) {
    const page = await get(host.address, domain, '/');
    if (page.status === 200 && page.body.includes('Hello from the database')) {
      const style = await get(host.address, domain, '/static/greetings/style.css');
      const admin = await get(host.address, domain, '/admin/login/');
      const isWhole = style.status === 200 && admin.body.includes('Django administration');
      return isWhole ? page.body : null;
    }
    await sleep(250);
  }
  return null;
}

interface Page {
  readonly status: number;
  readonly body: string;
}

async function get(address: string, domain: string, path: string): Promise<Page> {
  return new Promise((resolve, reject) => {
    const asking = request({ host: address, path, headers: { host: domain }, timeout: 5000 });
    asking.once('error', reject);
    asking.once('timeout', () => asking.destroy(new Error(`http://${domain}${path}: no answer`)));
    asking.once('response', (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.once('error', reject);
      answer.once('end', () => {
        resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(parts).toString('utf8') });
      });
    });
    asking.end();
  });
}

import type { Implementation, TestFn } from 'ava';
import { openFleet } from './hosts.ts';
import { checkPrerequisites, describeMissing } from './prerequisites.ts';

/** Declares one test that needs test hosts. */
export type HostTest<Context> = (title: string, body: Implementation<[], Context>) => void;

/**
 * Tests on hosts run one after the other; where this machine lacks something for hosts they are skipped, each counted as
 * such, and what is lacking is said aloud.
 */
export async function testOnHosts<Context>(test: TestFn<Context>): Promise<HostTest<Context>> {
  const missing = await checkPrerequisites();
  if (missing.length === 0) return (title, body) => test.serial(title, body);
  const lines = missing.map((thing) => `  - ${describeMissing(thing)}`);
  const notice = `NOT TESTED on real hosts, because this machine lacks\n${lines.join('\n')}`;
  console.error(notice);
  test('says what this machine lacks for tests on real hosts', (t) => {
    t.log(notice);
    t.true(missing.length > 0);
  });
  return (title, body) => test.serial.skip(title, body);
}

/**
 * The same for tests that take a package from the Python package index: whether a host reaches it is
 * tried first, on a host of its own.
 */
export async function testWithPackageIndex<Context>(
  test: TestFn<Context>,
  onHosts: HostTest<Context>,
  project: string,
): Promise<HostTest<Context>> {
  if ((await checkPrerequisites()).length > 0 || (await isReached(project))) return onHosts;
  console.error(`NOT TESTED, because no package index is in reach to take ${project} from`);
  return (title, body) => test.serial.skip(title, body);
}

async function isReached(project: string): Promise<boolean> {
  const fleet = await openFleet();
  try {
    const host = await fleet.boot({ name: 'probe', image: 'full' });
    const fetch = [
      'python3',
      '-m',
      'pip',
      '-q',
      'download',
      '--no-deps',
      '-d',
      '/root',
      project,
    ] as const;
    const { exitCode } = await host.exec(fetch, { allowFailure: true });
    return exitCode === 0;
  } finally {
    await fleet.close();
  }
}

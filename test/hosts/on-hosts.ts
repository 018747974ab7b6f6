import type { Implementation, TestFn } from 'ava';
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

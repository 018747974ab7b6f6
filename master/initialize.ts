import { initializeIdentity, loadIdentity, makeStateDirectory } from './identity.ts';
import { becomeOwner, statePaths } from './state-directory.ts';
import { openSqliteStore } from './store/sqlite/sqlite-store.ts';

/** Makes what a state directory lacks, as its owner; gives the fingerprint of the root key. */
export async function initializeState(directory: string): Promise<string> {
  const paths = statePaths(directory);
  await becomeOwner(directory);
  await makeStateDirectory(paths);
  const store = await openSqliteStore(paths.store);
  try {
    await initializeIdentity(paths, store);
    return (await loadIdentity(paths, store)).rootFingerprint;
  } finally {
    await store.close();
  }
}

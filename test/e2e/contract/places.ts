/** Where the contract keeps its own things on a host. */
export const LABORATORY = '/opt/conductor-contract';
export const STATE_DIRECTORY = '/var/lib/conductor/minion';

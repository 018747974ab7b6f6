/** A process that owns a fleet with one host, says so, and waits to be ended by a signal. Started by tests. */
import { openFleet } from './hosts.ts';

const fleet = await openFleet();
const host = await fleet.boot({ name: 'orphan', image: 'base' });
console.log(JSON.stringify({ fleet: fleet.id, leader: host.leader, root: host.root }));

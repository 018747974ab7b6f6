import { atExit } from './exit.ts';
import { HostError } from './host-error.ts';
import { openHost } from './host.ts';
import type { Host, HostSetting } from './host.ts';
import { ensureImage } from './image.ts';
import type { ImageName } from './recipe.ts';
import { createFleet, layOut, namesFile, newHost } from './layout.ts';
import { withLock } from './lock.ts';
import { mountOverlay } from './mounts.ts';
import { checkPrerequisites, describeMissing } from './prerequisites.ts';
import { writeFleet } from './records.ts';
import type { FleetRecord, HostRecord } from './records.ts';
import { readSurroundings } from './surroundings.ts';
import { ensureForwarding, FLEETS_LOCK, tearDownFleet, tearDownHost } from './teardown.ts';

export interface FleetOptions {
  /** Told what is going on, a line at a time. */
  readonly log?: (line: string) => void;
  /**
   * Whether SIGINT, SIGTERM and SIGHUP tear the fleet down and then end the process (as they do if absent). Whoever
   * says no has to call `close`, or `process.exit`, which tears down as well.
   */
  readonly handleSignals?: boolean;
}

export interface BootOptions {
  /** Its host name. Every host of the fleet reaches it by this name. */
  readonly name: string;
  readonly image: ImageName;
}

/** Some hosts on a private network of their own. */
export interface Fleet {
  readonly id: string;
  /** This machine, as its hosts see it. */
  readonly gateway: string;
  readonly hosts: readonly Host[];
  /** Makes and starts a host; done when its systemd says `running` and its address answers. */
  boot(options: BootOptions): Promise<Host>;
  /** Kills every host and leaves nothing of the fleet on this machine, other than cached images. */
  close(): Promise<void>;
}

/**
 * Opens a fleet without hosts, after clearing away those whose owners died. Throws HostError naming everything this
 * machine lacks before anything is done. Until `close`, the process it is opened in does not end by itself.
 */
export async function openFleet(options: FleetOptions = {}): Promise<Fleet> {
  const { log = () => undefined, handleSignals = true } = options;
  await refuseUnlessReady();
  const surroundings = readSurroundings();
  const record = await withLock(FLEETS_LOCK, async () => createFleet(surroundings, log));
  let current = record;
  let isClosed = false;
  const hosts = new Map<string, Host>();

  const setting: HostSetting = {
    bridge: record.bridge,
    environment: surroundings.environment,
    log,
    namesFile: () => namesFile(current),
    isWanted: () => !isClosed,
    remember,
    remove,
  };

  function update(changed: FleetRecord): void {
    if (isClosed) throw new HostError(`Cannot change fleet "${record.id}": it is closed`);
    current = changed;
    writeFleet(current);
  }

  function remember(host: HostRecord): void {
    const others = current.hosts.filter(({ name }) => name !== host.name);
    update({ ...current, hosts: [...others, host] });
  }

  async function remove(host: HostRecord): Promise<void> {
    if (isClosed) return;
    tearDownHost(host);
    hosts.delete(host.name);
    update({ ...current, hosts: current.hosts.filter(({ name }) => name !== host.name) });
    await tellNames();
  }

  async function tellNames(except = ''): Promise<void> {
    const reachable = [...hosts.values()].filter(({ isOn, name }) => isOn && name !== except);
    await Promise.all(reachable.map(async (host) => host.write('/etc/hosts', namesFile(current))));
  }

  async function boot({ name, image }: BootOptions): Promise<Host> {
    const layers = await ensureImage(image, surroundings, log);
    const own = newHost(current, name);
    remember(own);
    try {
      ensureForwarding();
      layOut(own, mountOverlay(own.directory, layers), current, surroundings);
      const host = openHost(own, setting);
      await host.bootAgain();
      hosts.set(name, host);
      await tellNames(name);
      return host;
    } catch (error) {
      await remove(own);
      throw error;
    }
  }

  function tearDown(): void {
    if (isClosed) return;
    isClosed = true;
    tearDownFleet(current);
  }
  const callOff = atExit(tearDown, { handleSignals });

  return {
    id: record.id,
    gateway: `${record.prefix}.1`,
    get hosts() {
      return [...hosts.values()];
    },
    boot,
    async close() {
      await withLock(FLEETS_LOCK, async () => tearDown());
      callOff();
    },
  };
}

async function refuseUnlessReady(): Promise<void> {
  const missing = await checkPrerequisites();
  if (missing.length === 0) return;
  const lines = missing.map((thing) => `  - ${describeMissing(thing)}`);
  throw new HostError(`Cannot open a fleet: this machine lacks\n${lines.join('\n')}`);
}

import type { Host, HostView } from './host.ts';

/** The half of a host that looks, and nothing else: what it lacks cannot be called by mistake. */
export function viewOf(host: HostView): HostView {
  return {
    minion: host.minion,
    query: (argv, options) => host.query(argv, options),
    readFile: (path) => host.readFile(path),
    status: (path) => host.status(path),
    readLink: (path) => host.readLink(path),
    list: (path) => host.list(path),
    walk: (path, options) => host.walk(path, options),
    accounts: () => host.accounts(),
    groups: () => host.groups(),
    canConnect: (address, port, timeoutMs) => host.canConnect(address, port, timeoutMs),
    reachesMaster: () => host.reachesMaster(),
    httpGet: (url, options) => host.httpGet(url, options),
    shared: (topic, load) => host.shared(topic, load),
    recall: (name) => host.recall(name),
    kept: (name) => host.kept(name),
    port: (name) => host.port(name),
    sleep: (milliseconds) => host.sleep(milliseconds),
  };
}

/** Where the engine gets the host of one state from: everything on it ends when the signal says so. */
export interface Hosts {
  within(signal: AbortSignal): Host;
}

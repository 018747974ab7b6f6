/**
 * Programs that keep books of their own also when they are only asked, and where: files of theirs that they open for writing
 * to lock them, and write nothing that anybody asked for.
 */
interface Books {
  readonly types: RegExp;
  readonly calls: RegExp;
}

const BOOKS: readonly Books[] = [
  {
    // podman; the cases have it keep its images below /run/containers/graph.
    types: /^docker_(?:container|image)\./u,
    calls: opened([
      '/dev/shm/libpod_lock',
      '/etc/cni/net.d/cni.lock',
      '/run/libpod/alive.lck',
      '/run/containers/graph/(?:storage|userns).lock',
      '/run/containers/graph/libpod/bolt_state.db',
      '/run/containers/graph/vfs-(?:containers/containers|images/images|layers/layers).lock',
      '/run/containers/storage/vfs-layers/mountpoints.lock',
      // Whether it could write there; removed at once.
      String.raw`/run/\d{5,10}`,
      // What the cases themselves have it note down.
      '/run/podman.log',
    ]),
  },
  {
    // podman makes room in its book for what it may come to write.
    types: /^docker_(?:container|image)\./u,
    calls: /^ftruncate\(\d+<\/run\/containers\/graph\/libpod\/bolt_state\.db>, /u,
  },
  {
    // Whoever asks the device mapper talks to it there.
    types: /^luks\./u,
    calls: /^openat\(AT_FDCWD<[^>]*>, "\/dev\/mapper\/control", O_RDWR\) = /u,
  },
];

function opened(places: readonly string[]): RegExp {
  const all = places.map((place) => place.replaceAll('.', String.raw`\.`)).join('|');
  return new RegExp(`^(?:openat|unlinkat)\\(AT_FDCWD<[^>]*>, "(?:${all})", `, 'u');
}

/** Whether a call that writes is no more than that. */
export function isBookkeeping(type: string, call: string): boolean {
  return BOOKS.some((books) => books.types.test(type) && books.calls.test(call));
}

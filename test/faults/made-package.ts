import { sh } from '../e2e/installed-hosts.ts';
import type { Host } from '../hosts/host.ts';

/** A package of one script that runs when it is installed. */
export async function makePackage(host: Host, name: string, postinst: string): Promise<void> {
  await sh(host, `mkdir -p /root/${name}/DEBIAN`);
  await host.write(
    `/root/${name}/DEBIAN/control`,
    `Package: ${name}\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n`,
  );
  await host.write(`/root/${name}/DEBIAN/postinst`, `#!/bin/sh\nset -e\n${postinst}\n`);
  await sh(
    host,
    `chmod 755 /root/${name}/DEBIAN/postinst
     dpkg-deb -Znone --root-owner-group --build /root/${name} /root/${name}.deb >/dev/null`,
  );
}

interface Put {
  readonly tree: string;
  readonly name: string;
  /** Of the state, in seconds; `null` for the usual time. */
  readonly timeout: number | null;
}

/** Such a package is all that a tree asks for. */
export async function putPackage(host: Host, { tree, name, timeout }: Put): Promise<void> {
  const time = timeout === null ? '' : `    timeout: ${timeout}\n`;
  await host.write(
    `${tree}/states/one.yaml`,
    `${name}:\n  pkg.installed:\n    sources: [{${name}: /root/${name}.deb}]\n${time}`,
  );
}

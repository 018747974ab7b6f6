import type { HostView } from '../../../host/host.ts';

const COMPARISON = /^(?<operator>>=|<=|==|!=|>|<)\s*(?<version>\S+)$/u;

const OPERATORS: Readonly<Record<string, string>> = {
  '>=': 'ge',
  '<=': 'le',
  '==': 'eq',
  '!=': 'ne',
  '>': 'gt',
  '<': 'lt',
};

/** Whether a version is the one, fits a pattern such as `15*` or a comparison such as `>=15`; dpkg compares. */
export async function fits(version: string, wish: string, host: HostView): Promise<boolean> {
  const comparison = COMPARISON.exec(wish)?.groups;
  if (comparison === undefined)
    return globbed(version, wish) || globbed(withoutEpoch(version), wish);
  const operator = OPERATORS[comparison['operator'] ?? ''] ?? 'eq';
  return compares(version, operator, comparison['version'] ?? '', host);
}

/** Whether a version is this one or a newer one; a wish that is no plain version is no lower end. */
export async function isAtLeast(version: string, wish: string, host: HostView): Promise<boolean> {
  if (COMPARISON.test(wish) || wish.includes('*')) return false;
  return compares(version, 'ge', wish, host);
}

async function compares(
  version: string,
  operator: string,
  other: string,
  host: HostView,
): Promise<boolean> {
  const answer = await host.query(['dpkg', '--compare-versions', version, operator, other]);
  return answer.exitCode === 0;
}

function withoutEpoch(version: string): string {
  return version.replace(/^\d+:/u, '');
}

function globbed(version: string, wish: string): boolean {
  const parts = wish
    .split('*')
    .map((part) => part.replace(/[\\^$.*+?()[\]{}|]/gu, String.raw`\$&`));
  return new RegExp(`^${parts.join('.*')}$`, 'u').test(version);
}

import { reaches, tangled, type Edges } from '../order.ts';

/** What a declaration brings about, and what must be there before it. */
export interface Resources {
  readonly key: string;
  readonly provides: readonly string[];
  readonly needs: readonly string[];
}

/**
 * For each declaration, others that provide what it needs. An edge that would close a cycle with
 * written requisites, or with implied ones before it, is left out.
 */
export function impliedEdges(items: readonly Resources[], written: Edges): Edges {
  const wanted = wantedEdges(items, written);
  const all = new Map(
    [...written].map(([key, targets]) => [key, [...targets, ...(wanted.get(key) ?? [])]]),
  );
  const knot = tangled(all);
  if (knot.size === 0) return wanted;

  const kept = new Map<string, string[]>();
  const accepted = new Map([...written].map(([key, targets]) => [key, [...targets]]));
  for (const [key, targets] of wanted) {
    for (const target of targets) {
      const isKnotted = knot.has(key) && knot.has(target);
      if (isKnotted && reaches(accepted, { from: target, to: key, within: knot })) continue;
      accepted.get(key)?.push(target);
      kept.set(key, [...(kept.get(key) ?? []), target]);
    }
  }
  return kept;
}

function wantedEdges(items: readonly Resources[], written: Edges): Map<string, string[]> {
  const providers = new Map<string, string[]>();
  for (const { key, provides } of items) {
    for (const name of provides) providers.set(name, [...(providers.get(name) ?? []), key]);
  }
  const wanted = new Map<string, string[]>();
  for (const { key, needs } of items) {
    const present = new Set([key, ...(written.get(key) ?? [])]);
    const found = needs.flatMap((name) => providers.get(name) ?? []);
    const targets = [...new Set(found)].filter((target) => !present.has(target));
    if (targets.length > 0) wanted.set(key, targets);
  }
  return wanted;
}

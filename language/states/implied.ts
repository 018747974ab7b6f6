import { reaches, tangled, type Edges } from '../order.ts';

/** What a declaration brings about, and what must be there before it. */
export interface Resources {
  readonly key: string;
  readonly provides: readonly string[];
  readonly needs: readonly string[];
}

/**
 * For each declaration, others that provide what it needs. Several that work on the same thing (they
 * need it and bring it about, like edits of one file) do not need one another: they run as they are
 * written. An edge that would close a cycle with
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

interface Provider {
  readonly key: string;
  /** It needs what it provides. */
  readonly worksOn: boolean;
}

function wantedEdges(items: readonly Resources[], written: Edges): Map<string, string[]> {
  const providers = new Map<string, Provider[]>();
  for (const { key, provides, needs } of items) {
    for (const name of provides) {
      const provider = { key, worksOn: needs.includes(name) };
      const others = providers.get(name);
      if (others === undefined) providers.set(name, [provider]);
      else others.push(provider);
    }
  }
  const wanted = new Map<string, string[]>();
  for (const { key, needs, provides } of items) {
    const present = new Set([key, ...(written.get(key) ?? [])]);
    const found = needs.flatMap((name) => {
      const worksOn = provides.includes(name);
      const others = (providers.get(name) ?? []).filter((other) => !(worksOn && other.worksOn));
      return others.map((other) => other.key);
    });
    const targets = [...new Set(found)].filter((target) => !present.has(target));
    if (targets.length > 0) wanted.set(key, targets);
  }
  return wanted;
}

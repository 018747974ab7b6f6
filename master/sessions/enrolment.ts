import { globMatcher } from '../../language/values/glob.ts';
import type { Claim, Invitation, Judgement, Known } from '../store/store.ts';

export const PENDING_LIMITS = { total: 1000, perAddress: 10, days: 7 } as const;

/** What a claim brings along that only the handshake can check. */
export interface Proof {
  /** Whether the minion has proved to know the invitation's secret. */
  readonly knowsSecret: (invitation: Invitation) => boolean;
}

/**
 * The verdict on a minion that has proved to hold its key. Pure. An id that is known never takes
 * another key, a refusal is never bettered by an invitation, and a join that fails is no join.
 */
export function judge(claim: Claim, known: Known, proof: Proof): Judgement {
  const { minion } = known;
  if (minion === null) return judgeStranger(claim, known, proof);
  if (minion.publicKey !== claim.publicKey) return denied('the id belongs to another key');
  if (minion.state === 'accepted') return { verdict: 'accepted', write: 'nothing' };
  if (minion.state !== 'pending')
    return { verdict: 'rejected', write: 'nothing', because: `the key is ${minion.state}` };
  if (claim.invitation === null) return { verdict: 'pending', write: 'nothing' };
  return judgeInvitation(claim, known, proof);
}

function judgeStranger(claim: Claim, known: Known, proof: Proof): Judgement {
  if (known.isForeignKey) return denied('the key belongs to another id');
  if (claim.invitation !== null) return judgeInvitation(claim, known, proof);
  if (known.pendingKeys >= PENDING_LIMITS.total) return denied('too many keys are pending');
  if (known.pendingKeysAtAddress >= PENDING_LIMITS.perAddress)
    return denied('too many keys of this address are pending');
  return { verdict: 'pending', write: 'insert-pending' };
}

function judgeInvitation(claim: Claim, { invitation }: Known, { knowsSecret }: Proof): Judgement {
  if (invitation === null) return denied('the invitation is unknown');
  if (!knowsSecret(invitation)) return denied('the invitation was not proved');
  if (invitation.usedBy !== null) return denied('the invitation was used before');
  if (invitation.expiresAt <= claim.at) return denied('the invitation has expired');
  if (!globMatcher(invitation.idGlob)(claim.id)) return denied('the invitation is for other ids');
  return { verdict: 'accepted', write: 'consume-invitation' };
}

function denied(because: string): Judgement {
  return { verdict: 'denied', write: 'nothing', because };
}

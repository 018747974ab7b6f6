import type { z } from 'zod';

/** What is wrong with a value, in plain words that go on "… , got the number 5". */
export interface Wrong {
  readonly path: readonly PropertyKey[];
  readonly words: string;
  /** Values that would have been right, for a suggestion. */
  readonly choices: readonly string[];
  /** Keys that are not understood, where that is what is wrong. */
  readonly unknownKeys: readonly string[];
  readonly isTypeOnly: boolean;
}

type Issue = z.core.$ZodIssue;

/** Turns zod's issues into words. */
export function wrongsOf(issues: readonly Issue[]): readonly Wrong[] {
  return issues.flatMap((issue) => wrongOf(issue));
}

function wrongOf(issue: Issue): readonly Wrong[] {
  if (issue.code === 'invalid_union') {
    return hasOwnWords(issue) ? [wrong(issue, issue.message)] : unionWrongs(issue.errors, issue);
  }
  if (issue.code === 'invalid_key' || issue.code === 'invalid_element') {
    return wrongsOf(issue.issues).map((inner) => below(issue, inner));
  }
  if (issue.code === 'unrecognized_keys') {
    return [wrong(issue, 'has unknown keys', { unknownKeys: issue.keys })];
  }
  if (issue.code === 'invalid_type') {
    if (hasOwnWords(issue)) return [wrong(issue, issue.message)];
    return [wrong(issue, `must be ${typeWords(issue.expected)}`, { isTypeOnly: true })];
  }
  return issue.code === 'invalid_value' ? [choiceWrong(issue)] : [wrong(issue, limitWords(issue))];
}

/** Those that the schema says, not zod. */
function hasOwnWords({ message }: Issue): boolean {
  return !message.startsWith('Invalid');
}

function below(issue: Issue, inner: Wrong): Wrong {
  return { ...inner, path: [...issue.path, ...inner.path] };
}

function choiceWrong(issue: Extract<Issue, { code: 'invalid_value' }>): Wrong {
  const choices = issue.values.map(String);
  const values = issue.values.map((value) => JSON.stringify(value)).join(', ');
  const words = choices.length === 1 ? `must be ${values}` : `must be one of ${values}`;
  return wrong(issue, hasOwnWords(issue) ? issue.message : words, { choices });
}

type Limit = Exclude<
  Issue,
  {
    code:
      | 'unrecognized_keys'
      | 'invalid_type'
      | 'invalid_value'
      | 'invalid_union'
      | 'invalid_key'
      | 'invalid_element';
  }
>;

function limitWords(issue: Limit): string {
  if (issue.code === 'too_small') {
    return atLeast(issue.origin, Number(issue.minimum), issue.inclusive !== false);
  }
  if (issue.code === 'too_big') {
    return atMost(issue.origin, Number(issue.maximum), issue.inclusive !== false);
  }
  if (issue.code === 'invalid_format') return formatWords(issue);
  if (issue.code === 'not_multiple_of') return `must be a multiple of ${issue.divisor}`;
  return issue.message;
}

function wrong(issue: Issue, words: string, more: Partial<Wrong> = {}): Wrong {
  return { path: issue.path, words, choices: [], unknownKeys: [], isTypeOnly: false, ...more };
}

const TYPES = new Map([
  ['string', 'a text'],
  ['number', 'a number'],
  ['int', 'a whole number'],
  ['boolean', 'true or false'],
  ['array', 'a list'],
  ['tuple', 'a list'],
  ['object', 'a mapping'],
  ['record', 'a mapping'],
  ['null', 'null'],
]);

function typeWords(expected: string): string {
  return TYPES.get(expected) ?? expected;
}

function atLeast(origin: string, minimum: number, isInclusive: boolean): string {
  const unit = unitOf(origin, minimum);
  if (unit === null)
    return isInclusive ? `must be at least ${minimum}` : `must be more than ${minimum}`;
  return minimum <= 1 ? 'must not be empty' : `must have at least ${minimum} ${unit}`;
}

function atMost(origin: string, maximum: number, isInclusive: boolean): string {
  const unit = unitOf(origin, maximum);
  if (unit === null)
    return isInclusive ? `must be at most ${maximum}` : `must be less than ${maximum}`;
  return `must have at most ${maximum} ${unit}`;
}

function unitOf(origin: string, count: number): string | null {
  const unit = origin === 'string' ? 'character' : 'item';
  const isCounted = ['string', 'array', 'set', 'map', 'object', 'record'].includes(origin);
  if (!isCounted) return null;
  return count === 1 ? unit : `${unit}s`;
}

function formatWords(issue: Extract<Issue, { code: 'invalid_format' }>): string {
  const { format, message } = issue;
  if (format === 'starts_with' && 'prefix' in issue)
    return `must start with ${JSON.stringify(issue.prefix)}`;
  if (!message.startsWith('Invalid')) return message;
  if (format === 'regex' && 'pattern' in issue) return `must match ${issue.pattern}`;
  return `must be of the form of ${format.replaceAll('_', ' ')}`;
}

/** Of several ways to be right, either the types that would do, or the way that came nearest. */
function unionWrongs(branches: readonly (readonly Issue[])[], issue: Issue): readonly Wrong[] {
  const tried = branches.map(wrongsOf).filter((wrongs) => wrongs.length > 0);
  const [first] = tried;
  if (first === undefined) return [wrong(issue, 'is not among what is allowed')];
  const inner = tried.every(isSimple) ? simpleUnion(tried) : nearest(tried);
  return inner.map((one) => below(issue, one));
}

function isSimple(wrongs: readonly Wrong[]): boolean {
  return wrongs.length === 1 && wrongs[0]?.path.length === 0 && wrongs[0].unknownKeys.length === 0;
}

function simpleUnion(tried: readonly (readonly Wrong[])[]): readonly Wrong[] {
  const all = tried.flat();
  const informative = all.filter(({ words }) => words !== 'Invalid input');
  const specific = informative.filter((one) => !one.isTypeOnly && one.choices.length === 0);
  const chosen = specific.length === 1 ? specific : informative;
  const words = [...new Set(chosen.map(({ words: own }) => own))];
  const joined = words
    .map((own, index) => (index === 0 ? own : own.replace(/^must be /u, '')))
    .join(' or ');
  const isTypeOnly = all.every((one) => one.isTypeOnly);
  return [
    {
      path: [],
      words: joined,
      choices: all.flatMap(({ choices }) => choices),
      unknownKeys: [],
      isTypeOnly,
    },
  ];
}

function nearest(tried: readonly (readonly Wrong[])[]): readonly Wrong[] {
  const depth = (wrongs: readonly Wrong[]) => Math.max(...wrongs.map(({ path }) => path.length));
  const isOff = (wrongs: readonly Wrong[]) =>
    wrongs.some((one) => one.isTypeOnly && one.path.length === 0);
  const [best = []] = tried.toSorted(
    (a, b) => Number(isOff(a)) - Number(isOff(b)) || depth(b) - depth(a) || a.length - b.length,
  );
  return best;
}

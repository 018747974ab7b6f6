/** What the key of a declaration, `type|id|name`, is made of; of a text that is none, the rest is empty. */
export function partsOfKey(key: string): {
  readonly type: string;
  readonly id: string;
  readonly name: string;
} {
  const [type = '', id = '', ...name] = key.split('|');
  return { type, id, name: name.join('|') };
}

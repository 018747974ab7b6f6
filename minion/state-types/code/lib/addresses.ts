/** Whether no address in a text has a password in it: it would stand in a command line, where everybody sees it. */
export function hasNoPassword(text: string): boolean {
  return !/:\/\/[^/@\s]*:[^/@\s]*@/u.test(text);
}

/** Data as JSON has it. */
export type Data =
  | string
  | number
  | boolean
  | null
  | readonly Data[]
  | { readonly [key: string]: Data };
export type DataMapping = { readonly [key: string]: Data };

export function isDataMapping(data: unknown): data is DataMapping {
  return typeof data === 'object' && data !== null && !Array.isArray(data);
}

export function isList(data: Data): data is readonly Data[] {
  return Array.isArray(data);
}

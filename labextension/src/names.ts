// Names that are written into cells: a model's may come from anybody's file.

/** Only what cannot be anything else in a cell: letters, digits, and what joins them. */
const PLAIN = /^[\p{L}\p{N}_][\p{L}\p{N}_ .:/@+()[\]-]*$/u;

export const isPlain = (name: string): boolean => PLAIN.test(name);

/** As a line of `%jan` has it. */
export const written = (name: string): string => (name.includes(" ") ? `"${name}"` : name);

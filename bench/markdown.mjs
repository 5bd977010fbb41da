// @ts-check
/**
 * A column of a table: its title and what it shows of a row.
 * @template T
 * @typedef {{ title: string, of: (row: T) => string | number }} Column
 */

/** @param {readonly (string | number)[]} cells */
const line = (cells) => `| ${cells.join(' | ')} |`;

/**
 * @template T
 * @param {readonly Column<T>[]} columns
 * @param {readonly T[]} rows
 */
export function markdownTable(columns, rows) {
  return [
    line(columns.map(({ title }) => title)),
    line(columns.map(() => '---')),
    ...rows.map((row) => line(columns.map(({ of }) => of(row)))),
  ].join('\n');
}

/** @param {number} number */
export const thousands = (number) => Math.round(number).toLocaleString('en-US');

/**
 * A table of Markdown. Knows nothing of what is in it.
 */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map(line).join('\n');
}

function line(row: readonly string[]): string {
  return `| ${row.join(' | ')} |`;
}

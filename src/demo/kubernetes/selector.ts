/** Label selectors: `a=b`, `a==b`, `a!=b`, `a in (b,c)`, `a notin (b,c)`, `a`, `!a`, joined by commas. */

type Labels = Readonly<Record<string, string>>;

export function parseSelector(text: string): (labels: Labels) => boolean {
  const tests = text
    .split(/,(?![^(]*\))/)
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(parseRequirement);
  return (labels) => tests.every((test) => test(labels));
}

function parseRequirement(text: string): (labels: Labels) => boolean {
  const set = /^(\S+)\s+(in|notin)\s+\(([^)]*)\)$/.exec(text);
  if (set !== null) {
    const [, key = '', operator, list = ''] = set;
    const values = list.split(',').map((value) => value.trim());
    return (labels) => values.includes(labels[key] ?? '') === (operator === 'in');
  }
  const [, key = '', operator, value] = /^!?([^=!\s]+)\s*(?:(==?|!=)\s*(.*))?$/.exec(text) ?? [];
  if (operator === undefined) return (labels) => key in labels !== text.startsWith('!');
  return (labels) => (labels[key] === value) === (operator !== '!=');
}

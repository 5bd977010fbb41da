const REFERENCE = /\$\$\{|\$\{([^}]*)\}?/g;

/** The text with `${NAME}` replaced by the variable's value and `$${` by a literal `${`; what cannot be stays, with a fault each. */
export function substitute(
  text: string,
  env: Readonly<Record<string, string | undefined>>,
): { readonly text: string; readonly faults: readonly string[] } {
  const faults: string[] = [];
  const replaced = text.replace(REFERENCE, (reference: string, name: string | undefined) => {
    if (name === undefined) return '${';
    if (!reference.endsWith('}') || !/^[A-Za-z_]\w*$/.test(name)) {
      faults.push(`${reference} does not name an environment variable; write $\${ for a literal \${`);
      return reference;
    }
    const value = Object.hasOwn(env, name) ? env[name] : undefined;
    if (value === undefined) faults.push(`the environment variable ${name} is not set`);
    return value ?? reference;
  });
  return { text: replaced, faults };
}

import type { Control } from '../control/control.ts';
import { noSuchRoute } from '../domain/did-you-mean.ts';
import { AdminProblem } from './problem.ts';

export function unknownRoute(control: Control, name: string): AdminProblem {
  const names = control.routes().map((route) => route.name);
  return new AdminProblem('unknownRoute', noSuchRoute(name, names));
}

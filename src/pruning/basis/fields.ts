import { choice } from '../../fields/field';
import type { AxesKind } from './axes';

/** Which axes the hidden dimensions are counted along before any method looks at them (docs/method.md, section 13). */
export const basisField = choice(
  'Basis of the residual stream',
  'sensitive',
  [
    { value: 'own', label: 'The model’s own dimensions' },
    { value: 'principal', label: 'Principal axes of the stream' },
    { value: 'sensitive', label: 'Axes of the stream and of the loss’s gradient' },
  ],
  'The stream is turned so that its last dimensions matter least, which changes no output; then they are cut.',
);

/** Whether the stream is turned: where no hidden dimension may go, its axes would decide nothing. */
export function turnsStream({
  basis,
  gates,
}: {
  basis: 'own' | AxesKind;
  gates: { hidden: boolean };
}): boolean {
  return basis !== 'own' && gates.hidden;
}

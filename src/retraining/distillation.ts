import { number, toggle } from '../fields/field';

/**
 * What a model that is cut may learn from the one it was cut from: w·τ²·KL(source ‖ model) + (1 − w)·cross-entropy
 * (docs/method.md, section 12).
 */
export const distillation = {
  id: 'distillation',
  label: 'Distillation',
  help: 'The model also learns from what the source says of every token, not from the next token alone.',
  fields: {
    weight: number(
      'Weight',
      1,
      [0, 1, 0.05],
      'Share of the source’s logits in the objective; 0: next tokens alone, and no source is kept on the GPU.',
    ),
    temperature: number(
      'Temperature',
      1,
      [0.1, 10, 0.1],
      'What the logits of the source and of the model are divided by before they are compared.',
      'until-end',
    ),
    pruning: toggle('While pruning', true, 'Also in the steps before the cut.'),
  },
} as const;

/** The model stays as the cut left it. */
export const none = {
  id: 'none',
  label: 'None',
  help: 'The model stays as it was cut.',
  trains: false,
  adapterSteps: () => 0,
  fields: {},
} as const;

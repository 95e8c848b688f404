import { type ComponentType, lazy } from 'react';

/**
 * A component that is loaded when it is first drawn. React keeps a failed load for ever: `retry` asks again the
 * next time it is drawn.
 */
export function lazyPart<Props extends object>(load: () => Promise<ComponentType<Props>>) {
  const ask = () => lazy(() => load().then((component) => ({ default: component })));
  let Loaded = ask();
  const Part = (props: Props) => <Loaded {...props} />;
  const retry = () => {
    Loaded = ask();
  };
  return { Part, retry };
}

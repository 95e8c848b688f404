import { type PointerEvent, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { SurgeryEvent } from '../../run/events';
import type { GateRows } from '../../run/gate-rows';
import { type AnatomyShape, cellAt, flattenGates, flattenKept, layOutAnatomy } from '../core/anatomy-layout';
import { formatNumber } from '../core/format';
import type { Theme } from '../core/theme-colours';
import { useReducedMotion } from '../use-theme';
import { paintAnatomy } from './paint';

interface AnatomyCanvasProps {
  shape: AnatomyShape;
  gates: GateRows | null;
  surgery: SurgeryEvent | null;
  theme: Theme;
  height: number;
  /** What a screen reader says of the picture. */
  description: string;
}

/** Time in which a gate covers most of the way to a new value. */
const FADE_MS = 160;
const KIND_NAMES = { hidden: 'Hidden dimension', head: 'Head', intermediate: 'MLP unit' } as const;

/** Every unit of the model as a cell, shaded by its gate; values approach the newest gates, 63 % of the way in 160 ms. */
export function AnatomyCanvas({ shape, gates, surgery, theme, height, description }: AnatomyCanvasProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const [hover, setHover] = useState<{ x: number; y: number; text: string } | null>(null);
  const still = useReducedMotion();
  const { hiddenSize, numHiddenLayers, numKeyValueHeads, intermediateSize } = shape;

  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const layout = useMemo(
    () =>
      layOutAnatomy(
        { hiddenSize, numHiddenLayers, numKeyValueHeads, intermediateSize },
        width || 640,
        height,
      ),
    [hiddenSize, numHiddenLayers, numKeyValueHeads, intermediateSize, width, height],
  );
  const target = useMemo(
    () => ({
      units: flattenGates(layout, gates),
      layers: Float32Array.from({ length: numHiddenLayers }, (_, l) => gates?.layers[l] ?? 255),
    }),
    [layout, gates, numHiddenLayers],
  );
  const kept = useMemo(
    () =>
      surgery && {
        units: flattenKept(layout, surgery.kept),
        layers: new Set(surgery.kept.layers),
      },
    [layout, surgery],
  );
  const drawn = useRef(target);

  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext('2d');
    if (!element || !context || width === 0) return;
    const ratio = window.devicePixelRatio || 1;
    element.width = Math.round(layout.width * ratio);
    element.height = Math.round(layout.height * ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const font = `11px ${getComputedStyle(element).fontFamily}`;

    const from = drawn.current;
    const fits = from.units.length === target.units.length && from.layers.length === target.layers.length;
    const current = still || !fits ? target : { units: from.units.slice(), layers: from.layers.slice() };
    drawn.current = current;
    const paint = () => paintAnatomy(context, { layout, ...current, kept, theme, font });
    paint();
    if (current === target) return;

    let frame = 0;
    let last = performance.now();
    const advance = (now: number) => {
      const share = 1 - Math.exp(-Math.max(1, now - last) / FADE_MS);
      last = now;
      const moving = Math.max(
        approach(current.units, target.units, share),
        approach(current.layers, target.layers, share),
      );
      paint();
      if (moving > 1) frame = requestAnimationFrame(advance);
      else drawn.current = target;
    };
    frame = requestAnimationFrame(advance);
    return () => cancelAnimationFrame(frame);
  }, [layout, target, kept, theme, still, width]);

  const point = (event: PointerEvent<HTMLCanvasElement>) => {
    const rectangle = event.currentTarget.getBoundingClientRect();
    const x = event.clientX - rectangle.left;
    const y = event.clientY - rectangle.top;
    const cell = cellAt(layout, x, y);
    if (!cell) return setHover(null);
    const { grid, from, to } = cell;
    let sum = 0;
    for (let unit = from; unit <= to; unit++) sum += target.units[grid.firstUnit + unit] ?? 0;
    const name = `${KIND_NAMES[grid.kind]}${to > from ? 's' : ''} ${from + 1}${to > from ? `–${to + 1}` : ''}`;
    const where = grid.layer === null ? '' : ` of layer ${grid.layer + 1}`;
    const mean = sum / (to - from + 1) / 255;
    const outcome = kept ? `, ${keptText(kept.units, grid.firstUnit + from, grid.firstUnit + to)}` : '';
    setHover({ x, y, text: `${name}${where}: gate ${formatNumber(mean, 2)}${outcome}` });
  };

  return (
    <div className="anatomy-box" ref={box}>
      <canvas
        ref={canvas}
        role="img"
        aria-label={description}
        style={{ width: layout.width, height: layout.height }}
        onPointerMove={point}
        onPointerDown={point}
        onPointerLeave={() => setHover(null)}
      />
      {hover && (
        <div
          className="anatomy-tip"
          style={{
            left: Math.min(hover.x + 12, Math.max(0, layout.width - 230)),
            top: hover.y + 16,
          }}
        >
          {hover.text}
        </div>
      )}
    </div>
  );
}

function approach(values: Float32Array, targets: Float32Array, share: number): number {
  let moving = 0;
  for (let i = 0; i < values.length; i++) {
    const difference = (targets[i] ?? 0) - (values[i] ?? 0);
    moving = Math.max(moving, Math.abs(difference));
    values[i] = (values[i] ?? 0) + difference * share;
  }
  return moving;
}

function keptText(units: Float32Array, from: number, to: number): string {
  let count = 0;
  for (let unit = from; unit <= to; unit++) if ((units[unit] ?? 0) > 0) count++;
  if (from === to) return count ? 'kept' : 'cut';
  return `${count} of ${to - from + 1} kept`;
}

import {
  type KeyboardEvent,
  type PointerEvent,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import type { SurgeryEvent } from '../../run/events';
import type { GateRows } from '../../run/gate-rows';
import { type AnatomyShape, flattenGates, flattenKept, layOutAnatomy } from '../core/anatomy-layout';
import {
  boxOf,
  namePlace,
  neighbour,
  pinnedBoxes,
  type PinState,
  pinStateOf,
  type Place,
  placeAt,
  readPins,
} from '../core/pinned-units';
import { formatNumber, formatPercent } from '../core/format';
import { useReducedMotion, useTheme } from '../use-theme';
import { paintAnatomy } from './paint';

interface AnatomyCanvasProps {
  shape: AnatomyShape;
  /** Shades of all units: their gates, or what `describe` speaks of. */
  gates: GateRows | null;
  /** Of a turned stream: each axis' share of its moments. */
  shares?: readonly number[] | null;
  /** What stays; the rest is outlined. */
  kept: SurgeryEvent['kept'] | null;
  /** The shades are no gates: what is said of a place, and what is outlined keeps its shade. */
  describe?: (place: Place) => string;
  height: number;
  pins: readonly string[];
  /** Pins the units of a place; null where none can be pinned now. */
  onPin: ((place: Place, state: PinState) => void) | null;
  /** What a screen reader says of the picture. */
  description: string;
}

/** Time in which a gate covers most of the way to a new value. */
const FADE_MS = 160;
const ARROWS = ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown'];
const FIRST: Place = { set: 'layer', row: 0, from: 0, to: 0 };

/** Every unit of the model as a cell, shaded by its gate; values approach the newest gates, 63 % of the way in 160 ms. */
export function AnatomyCanvas(props: AnatomyCanvasProps) {
  const { shape, gates, shares = null, kept: staying, describe, height, pins, onPin, description } = props;
  const theme = useTheme();
  const shaded = describe !== undefined;
  const canvas = useRef<HTMLCanvasElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const [hover, setHover] = useState<{ x: number; y: number; place: Place } | null>(null);
  /** The place whose menu is open. */
  const [chosen, setChosen] = useState<Place | null>(null);
  const [focused, setFocused] = useState<Place | null>(null);
  const still = useReducedMotion();
  const { hiddenSize, numHiddenLayers, numKeyValueHeads, intermediateSize } = shape;

  useLayoutEffect(() => {
    const element = frame.current;
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
        shares !== null,
      ),
    [hiddenSize, numHiddenLayers, numKeyValueHeads, intermediateSize, width, height, shares],
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
      staying && {
        units: flattenKept(layout, staying),
        layers: new Set(staying.layers),
      },
    [layout, staying],
  );
  const drawn = useRef(target);
  const marks = useMemo(() => pinnedBoxes(layout, pins), [layout, pins]);
  const cursor = useMemo(() => focused && boxOf(layout, focused), [layout, focused]);

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
    const paint = () =>
      paintAnatomy(context, { layout, ...current, kept, shaded, shares, theme, font, marks, cursor });
    paint();
    if (current === target) return;

    let request = 0;
    let last = performance.now();
    const advance = (now: number) => {
      const share = 1 - Math.exp(-Math.max(1, now - last) / FADE_MS);
      last = now;
      const moving = Math.max(
        approach(current.units, target.units, share),
        approach(current.layers, target.layers, share),
      );
      paint();
      if (moving > 1) request = requestAnimationFrame(advance);
      else drawn.current = target;
    };
    request = requestAnimationFrame(advance);
    return () => cancelAnimationFrame(request);
  }, [layout, target, kept, shaded, shares, theme, still, width, marks, cursor]);

  const gateText = (place: Place): string => {
    const { set, row, from, to } = place;
    const layers = set === 'layer';
    const grid = layout.grids.find(({ kind, layer }) => kind === set && (layer ?? 0) === row);
    const first = layers ? 0 : (grid?.firstUnit ?? 0);
    const values = layers ? target.layers : target.units;
    const mean = average(values, first + from, first + to) / 255;
    const outcome = !kept
      ? ''
      : layers
        ? `, ${kept.layers.has(from) ? 'kept' : 'cut'}`
        : `, ${keptText(kept.units, first + from, first + to)}`;
    const held =
      shares && set === 'hidden'
        ? `, ${formatPercent(shares.slice(from, to + 1).reduce((sum, share) => sum + share, 0))} of the moments`
        : '';
    return `${namePlace(place, shares !== null)}: gate ${formatNumber(mean, 2)}${outcome}${held}`;
  };
  const textOf = (place: Place): string => {
    const pinned = pinStateOf(readPins(pins), place);
    const byHand = pinned === 'free' || pinned === null ? '' : `, ${pinned} by hand`;
    return `${(describe ?? gateText)(place)}${byHand}`;
  };

  const pointed = (event: PointerEvent<HTMLCanvasElement>) => {
    const rectangle = event.currentTarget.getBoundingClientRect();
    const x = event.clientX - rectangle.left;
    const y = event.clientY - rectangle.top;
    const place = placeAt(layout, x, y);
    return place && { x, y, place };
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const at = focused ?? FIRST;
    if (ARROWS.includes(event.key)) setFocused(neighbour(layout, at, event.key));
    else if ((event.key === 'Enter' || event.key === ' ') && onPin) setChosen(at);
    else return;
    event.preventDefault();
  };

  const shown = chosen ?? hover?.place ?? focused;
  const box = shown && boxOf(layout, shown);
  const tip = hover && !chosen ? hover : box && { x: box.x, y: box.y + box.height / 2 };
  return (
    <div className="anatomy-box" ref={frame}>
      <canvas
        ref={canvas}
        role="application"
        aria-roledescription="drawing of the model"
        aria-label={description}
        tabIndex={0}
        style={{ width: layout.width, height: layout.height }}
        onPointerMove={(event) => setHover(pointed(event))}
        onPointerLeave={() => setHover(null)}
        onClick={(event) => {
          const rectangle = event.currentTarget.getBoundingClientRect();
          const place = placeAt(layout, event.clientX - rectangle.left, event.clientY - rectangle.top);
          if (place && onPin) setChosen(place);
        }}
        onFocus={(event) => event.currentTarget.matches(':focus-visible') && setFocused(focused ?? FIRST)}
        onBlur={() => setFocused(null)}
        onKeyDown={onKeyDown}
      />
      {shown && tip && (
        <div
          className={`anatomy-tip ${chosen ? 'anatomy-menu' : ''}`}
          style={{
            left: Math.min(tip.x + 12, Math.max(0, layout.width - (shaded ? 310 : 250))),
            top: tip.y + 16,
          }}
        >
          {chosen && onPin ? (
            <PinMenu
              title={textOf(chosen)}
              state={pinStateOf(readPins(pins), chosen)}
              onPin={(state) => {
                onPin(chosen, state);
                setChosen(null);
                canvas.current?.focus();
              }}
              onClose={() => {
                setChosen(null);
                canvas.current?.focus();
              }}
            />
          ) : (
            textOf(shown)
          )}
        </div>
      )}
      <p className="visually-hidden" aria-live="polite">
        {focused && !chosen ? textOf(focused) : ''}
      </p>
    </div>
  );
}

const ACTIONS: readonly { state: PinState; label: string }[] = [
  { state: 'closed', label: 'Close' },
  { state: 'kept', label: 'Keep' },
  { state: 'free', label: 'Let go' },
];

interface PinMenuProps {
  title: string;
  state: PinState | null;
  onPin(state: PinState): void;
  onClose(): void;
}

/** What can be done with a unit by hand. */
function PinMenu({ title, state, onPin, onClose }: PinMenuProps) {
  return (
    <div
      role="group"
      aria-label={title}
      onKeyDown={(event) => event.key === 'Escape' && onClose()}
      onBlur={(event) => !event.currentTarget.contains(event.relatedTarget) && onClose()}
    >
      <p>{title}</p>
      {ACTIONS.filter((action) => action.state !== state).map((action, i) => (
        <button key={action.state} type="button" autoFocus={i === 0} onClick={() => onPin(action.state)}>
          {action.label}
        </button>
      ))}
    </div>
  );
}

function average(values: Float32Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i <= to; i++) sum += values[i] ?? 0;
  return sum / (to - from + 1);
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

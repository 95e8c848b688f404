interface ResetDotProps {
  label: string;
  shown: boolean;
  /** What the field goes back to, as a person reads it. */
  to: string;
  onReset(): void;
}

/** The dot beside a setting that differs from its default; pressing it takes the default back. */
export function ResetDot({ label, shown, to, onReset }: ResetDotProps) {
  return (
    <button
      type="button"
      className="reset-dot"
      aria-label={`Default of ${label}: ${to}`}
      title={`Back to ${to}`}
      hidden={!shown}
      onClick={onReset}
    />
  );
}

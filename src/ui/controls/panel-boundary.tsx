import { Component, type ReactNode } from 'react';
import { copyText } from '../copy-text';
import { hasJustReloaded, isMissingPart, reloadPage } from '../missing-parts';

interface PanelBoundaryProps {
  /** What stopped: the panel's name. */
  title: string;
  /** Before the children are drawn again: asks for what could not be loaded. */
  onRetry?: () => void;
  children: ReactNode;
}

/** Holds what goes wrong while a panel is drawn: one sentence in its place, and the rest of the page lives. */
export class PanelBoundary extends Component<PanelBoundaryProps, { error: unknown }> {
  override state = { error: null as unknown };

  static getDerivedStateFromError(error: unknown) {
    return { error: error ?? new Error('Nothing is known of it.') };
  }

  retry = () => {
    this.props.onRetry?.();
    this.setState({ error: null });
  };

  override render() {
    const { error } = this.state;
    return error === null ? (
      this.props.children
    ) : (
      <Stopped title={this.props.title} error={error} onRetry={this.retry} />
    );
  }
}

function Stopped({ title, error, onRetry }: { title: string; error: unknown; onRetry(): void }) {
  const missing = isMissingPart(error);
  const sentence = !missing
    ? `“${title}” stopped over an error of the page; the rest of it goes on.`
    : hasJustReloaded()
      ? `“${title}” is still missing after a reload: check the connection; the rest of the page goes on.`
      : `“${title}” could not be loaded: the connection is down, or the lab was updated, which a reload takes up.`;
  return (
    <section className="panel stopped" aria-label={title}>
      <p role="alert">{sentence}</p>
      <div className="stopped-actions">
        <button type="button" onClick={onRetry}>
          Try again
        </button>
        {(!missing || !hasJustReloaded()) && (
          <button type="button" onClick={reloadPage}>
            Reload the page
          </button>
        )}
        <button type="button" className="quiet" onClick={() => void copyText(detailOf(error))}>
          Copy the detail
        </button>
      </div>
      <details>
        <summary>Detail</summary>
        <pre tabIndex={0}>{detailOf(error)}</pre>
      </details>
    </section>
  );
}

const detailOf = (error: unknown) =>
  error instanceof Error ? (error.stack ?? `${error.name}: ${error.message}`) : String(error);

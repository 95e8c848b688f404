import { playRecording, reset } from '../commands/run-commands';
import { CommandButton } from '../controls/command-button';
import { useLab, useLabState } from '../lab-context';

/** What went wrong, and what to do: one sentence each, gone when dismissed. */
export function Notices() {
  const lab = useLab();
  const notices = useLabState((state) => state.notices);
  if (notices.length === 0) return null;
  return (
    <section className="notices" aria-label="Notices">
      {notices.map((notice) => (
        <div
          key={notice.id}
          className={`notice ${notice.kind}`}
          role={notice.kind === 'error' ? 'alert' : 'note'}
        >
          <div className="notice-text">
            <p>{notice.text}</p>
            {notice.details && (
              <ul>
                {notice.details.map((detail) => (
                  <li key={detail}>{detail}</li>
                ))}
              </ul>
            )}
          </div>
          {notice.offer === 'reopen' && (
            <button type="button" onClick={lab.openSource}>
              Open the model again
            </button>
          )}
          {notice.offer === 'replay' && <CommandButton command={playRecording} />}
          {notice.offer === 'continue' && notice.run !== undefined && (
            <button type="button" onClick={() => lab.continueRun(notice.run!)}>
              Go on
            </button>
          )}
          {notice.offer === 'reset' && <CommandButton command={reset} />}
          <button type="button" className="icon" aria-label="Dismiss" onClick={() => lab.dismiss(notice.id)}>
            ×
          </button>
        </div>
      ))}
    </section>
  );
}

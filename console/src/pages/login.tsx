// The way in: a link that the hub prints, or a token.
import { useEffect, useState } from 'react';
import { messageOf } from '../api/client';
import * as hub from '../api/hub';
import { Logo } from '../ui/icons';
import { Callout } from '../ui/parts';

export function LoginPage({ failed, loggedIn }: { failed: boolean; loggedIn: () => void }) {
  const [token, setToken] = useState('');
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    document.title = 'Log in – Aceso';
  }, []);

  async function submit(event: React.FormEvent) {
    event.preventDefault();
    setError('');
    if (token.trim() === '') {
      setError('Paste the token first.');
      return;
    }
    setBusy(true);
    try {
      await hub.logIn(token.trim());
      loggedIn();
    } catch (problem) {
      setError(messageOf(problem));
      setBusy(false);
    }
  }

  return (
    <main className="login">
      <div className="login-box">
        <Logo size={44} />
        <h1>Log in to Aceso</h1>
        {failed && (
          <Callout tone="warn" title="This link has been used already">
            A login link works once. Ask the hub for a new one, as below.
          </Callout>
        )}
        <p>
          The easiest way in is a link. On the machine of the hub, this prints one; open it in this browser:
        </p>
        <pre className="command">aceso hub up</pre>
        <p className="or">
          <span>or</span>
        </p>
        <form onSubmit={(event) => void submit(event)} noValidate>
          <label htmlFor="token">Token</label>
          <input
            id="token"
            type="password"
            autoComplete="current-password"
            spellCheck={false}
            value={token}
            onChange={(event) => setToken(event.target.value)}
            aria-invalid={error !== ''}
            aria-describedby={error === '' ? 'token-help' : 'token-error'}
          />
          {error === '' ? (
            <p className="hint" id="token-help">
              The same one that scripts send to the hub.
            </p>
          ) : (
            <p className="mistake" id="token-error" role="alert">
              {error}
            </p>
          )}
          <button className="primary full" disabled={busy}>
            Log in
          </button>
        </form>
      </div>
    </main>
  );
}

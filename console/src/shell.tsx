// What is around every page: who is logged in, the way to the pages, light or dark.
import { useEffect, useState } from 'react';
import { onLoggedOut } from './api/client';
import * as hub from './api/hub';
import { AppPage } from './pages/app/app_page';
import { AppsPage } from './pages/apps';
import { DataPage } from './pages/data/data_page';
import { LoginPage } from './pages/login';
import { RunPage } from './pages/run/run_page';
import { RunsPage } from './pages/runs';
import { addressOf, go, useRoute, type Route } from './router';
import { nextTheme, useTheme } from './theme';
import { Icon, Logo } from './ui/icons';
import { Callout, Empty, Loading, PageHead } from './ui/parts';

type Session = { state: 'asking' } | { state: 'out' } | { state: 'in'; version: string } | { state: 'error'; message: string };

export function Shell() {
  const route = useRoute();
  const [session, setSession] = useState<Session>({ state: 'asking' });

  async function ask() {
    setSession((before) => (before.state === 'in' ? before : { state: 'asking' }));
    try {
      const { version } = await hub.session();
      setSession({ state: 'in', version });
    } catch (error) {
      setSession((before) => (before.state === 'out' ? before : { state: 'error', message: String((error as Error).message) }));
    }
  }

  useEffect(() => {
    onLoggedOut(() => setSession({ state: 'out' }));
    void ask();
  }, []);

  const place = route.path[0] ?? 'apps';
  const wantsLogin = place === 'login';
  useEffect(() => {
    if (session.state === 'in' && wantsLogin) go(route.query.get('then') ?? '#/apps');
    if (session.state === 'out' && !wantsLogin) {
      go(addressOf(['login'], location.hash.length > 2 ? { then: location.hash } : {}));
    }
  }, [session.state, wantsLogin]);

  if (session.state === 'asking') return <Loading what="Asking the hub" />;
  if (session.state === 'error') {
    return (
      <main className="alone">
        <Callout tone="danger" title="The hub does not answer" actions={<button onClick={() => void ask()}>Try again</button>}>
          {session.message}
        </Callout>
      </main>
    );
  }
  if (session.state === 'out') return <LoginPage failed={route.query.has('failed')} loggedIn={() => void ask()} />;
  return (
    <div className="shell">
      <a className="skip" href="#main" onClick={skip}>
        Skip to the content
      </a>
      <Navigation place={place} version={session.version} />
      <main id="main" tabIndex={-1}>
        <PageOf route={route} />
      </main>
    </div>
  );
}

/// A real jump would change the address that the router reads.
function skip(event: React.MouseEvent) {
  event.preventDefault();
  document.getElementById('main')?.focus();
}

function PageOf({ route }: { route: Route }) {
  const [place = 'apps', id] = route.path;
  switch (place) {
    case 'login': // for a moment, until the address changes
      return <Loading />;
    case 'apps':
      return id === undefined ? <AppsPage /> : <AppPage key={location.hash} name={id} from={route.query.get('from')} />;
    case 'runs':
      return id === undefined ? (
        <RunsPage state={route.query.get('state') ?? ''} app={route.query.get('app') ?? ''} />
      ) : (
        <RunPage key={id} id={id} tab={route.query.get('tab')} />
      );
    case 'data':
      return <DataPage />;
    default:
      return (
        <>
          <PageHead title="No such page" />
          <Empty icon="search" title="There is nothing at this address" action={<a className="button" href="#/apps">Go to the apps</a>}>
            The link may be old, or mistyped.
          </Empty>
        </>
      );
  }
}

const kPlaces = [
  { place: 'apps', label: 'Apps' },
  { place: 'runs', label: 'Runs' },
  { place: 'data', label: 'Data' },
];

function Navigation({ place, version }: { place: string; version: string }) {
  return (
    <div className="side">
      <a className="brand" href="#/apps">
        <Logo /> Aceso
      </a>
      <nav aria-label="Pages">
        {kPlaces.map((entry) => (
          <a key={entry.place} href={addressOf([entry.place])} aria-current={entry.place === place ? 'page' : undefined}>
            <Icon name={entry.place} /> {entry.label}
          </a>
        ))}
      </nav>
      <div className="side-foot">
        <ThemeButton />
        <button className="quiet" onClick={() => void hub.logOut().finally(() => location.reload())} aria-label="Log out">
          <Icon name="leave" /> <span className="wide-only">Log out</span>
        </button>
        <p className="version wide-only">Version {version}</p>
      </div>
    </div>
  );
}

export function ThemeButton() {
  const theme = useTheme();
  const icon = { system: 'system', light: 'sun', dark: 'moon' }[theme];
  const label = { system: 'System colours', light: 'Light', dark: 'Dark' }[theme];
  return (
    <button className="quiet" onClick={nextTheme} aria-label={`${label}: change colours`}>
      <Icon name={icon} /> <span className="wide-only">{label}</span>
    </button>
  );
}

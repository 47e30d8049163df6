import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Shell } from './shell';
import './style/base.css';
import './style/parts.css';
import './style/pages.css';
import { applyTheme } from './theme';

applyTheme();
const root = document.getElementById('console');
if (root) {
  createRoot(root).render(
    <StrictMode>
      <Shell />
    </StrictMode>,
  );
}

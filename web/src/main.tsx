import './look/tokens.css';
import './look/base.css';
import './look/log.css';

import { CSPProvider } from '@base-ui/react/csp-provider';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { router } from './app';

// A chunk of a version that is no longer there: the page of the new version is loaded, once.
window.addEventListener('vite:preloadError', (event) => {
  if (sessionStorage.getItem('stale') === location.pathname) return;
  event.preventDefault();
  sessionStorage.setItem('stale', location.pathname);
  location.reload();
});

const place = document.getElementById('root');
if (place === null) throw new Error('the page has no place for the dashboard');
createRoot(place).render(
  <StrictMode>
    <CSPProvider disableStyleElements>
      <RouterProvider router={router} />
    </CSPProvider>
  </StrictMode>,
);

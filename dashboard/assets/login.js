// Trades the token for a cookie that scripts cannot read.

import { persist } from './ask.js';

const form = document.getElementById('login');
const answer = document.getElementById('answer');

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  answer.textContent = '';
  try {
    const response = await persist('/api/v1/login', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ token: document.getElementById('token').value }),
    });
    if (response.ok) {
      location.reload();
      return;
    }
    answer.textContent = (await response.json()).detail;
  } catch {
    answer.textContent = 'The balancer does not answer.';
  }
});

// Requests that survive what a browser does on the balancer's own host: it drops them whenever the host's networks change, and they do when a
// container starts.

const pauses = [200, 500, 1000];

// persist is fetch, tried again while there is no answer at all. It is for requests that may arrive twice.
export async function persist(url, options) {
  for (const pause of pauses) {
    try {
      return await fetch(url, options);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
  return fetch(url, options);
}

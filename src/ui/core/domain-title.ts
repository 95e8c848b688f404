/** "common_crawl" → "Common crawl": a domain's name as the charts say it. */
export function domainTitle(name: string): string {
  const words = name.replace(/[_-]+/g, ' ').trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

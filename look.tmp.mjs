import { chromium } from '@playwright/test';
const b = await chromium.launch({ executablePath: process.env.CHROMIUM_PATH, args: ['--headless=new','--no-sandbox','--enable-unsafe-webgpu'] });
const p = await b.newPage({ viewport: { width: 1440, height: 900 } });
p.on('pageerror', e => console.log('ERR', String(e).slice(0,400)));
p.on('console', m => m.type()==='error' && console.log('CON', m.text().slice(0,400)));
const st = async () => (await p.getByRole('status').first().textContent());
await p.goto('http://127.0.0.1:4299/?prune.steps=16&retrain.steps=3&prune.batchSize=1&retrain.batchSize=1&contextLength=16&evaluation.interval=6&evaluation.windows=1&checkpoint.interval=2');
const t0=Date.now(); const log=async(x)=>console.log(((Date.now()-t0)/1000).toFixed(1), x, await st());
await p.waitForTimeout(4000); await log('opened');
await p.screenshot({path:'/tmp/s0.png'});
await p.getByRole('button',{name:'Prune',exact:true}).click();
for (let i=0;i<20;i++){ await p.waitForTimeout(1500); await log('run'); if(/step [3-9]/.test(await st()))break; }
await p.screenshot({path:'/tmp/s1.png'});
await p.getByRole('button',{name:'Pause',exact:true}).click();
for (let i=0;i<6;i++){ await p.waitForTimeout(1500); await log('pausing'); if(/Paused/.test(await st()))break;}
await p.screenshot({path:'/tmp/s2.png', fullPage:true});
console.log((await p.getByRole('region',{name:'Runs',exact:true}).innerText()).slice(0,600));
console.log((await p.locator('.notices').allInnerTexts()).join('|'));
await b.close();

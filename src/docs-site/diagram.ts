/** The part of the drawing that is seen. */
interface View {
  x: number
  y: number
  width: number
}

/** Moves and enlarges a diagram, and shows one table with what is around it. */
export function openDiagram(paper: HTMLElement): void {
  const svg = paper.querySelector('svg')
  if (svg !== null) new Diagram(paper, svg).start()
}

/** Further in, a letter is larger than a heading. */
const CLOSEST = 0.4

class Diagram {
  private readonly paper: HTMLElement
  private readonly svg: SVGSVGElement
  private readonly whole: { readonly width: number; readonly height: number }
  private view: View

  constructor(paper: HTMLElement, svg: SVGSVGElement) {
    this.paper = paper
    this.svg = svg
    this.whole = { width: svg.width.baseVal.value, height: svg.height.baseVal.value }
    this.view = { x: 0, y: 0, width: this.whole.width }
  }

  start(): void {
    this.paper.classList.add('live')
    this.fit()
    this.buttons()
    this.mouse()
    this.keys()
    this.highlight()
    this.focusFromAddress()
    window.addEventListener('hashchange', () => {
      this.focusFromAddress()
    })
    new ResizeObserver(() => {
      this.show()
    }).observe(this.paper)
  }

  private get height(): number {
    return (this.view.width * this.paper.clientHeight) / Math.max(1, this.paper.clientWidth)
  }

  private show(): void {
    const { x, y, width } = this.view
    this.svg.setAttribute('viewBox', [x, y, width, this.height].map((part) => part.toFixed(1)).join(' '))
  }

  /** The whole, or an area of it, with some air; never larger than drawn. */
  private fit(
    area: { x: number; y: number; width: number; height: number } = { x: 0, y: 0, ...this.whole },
  ): void {
    const air = 24
    const ratio = this.paper.clientWidth / Math.max(1, this.paper.clientHeight)
    const width = Math.max(area.width + air * 2, (area.height + air * 2) * ratio, this.paper.clientWidth)
    this.view = { x: area.x + area.width / 2 - width / 2, y: 0, width }
    this.view.y = area.y + area.height / 2 - this.height / 2
    this.show()
  }

  private zoom(factor: number, at = { x: 0.5, y: 0.5 }): void {
    const { x, y, width } = this.view
    const before = this.height
    const next = Math.min(
      Math.max(width * factor, this.paper.clientWidth * CLOSEST),
      this.whole.width * 4 + 2000,
    )
    this.view = { x: x + (width - next) * at.x, y, width: next }
    this.view.y = y + (before - this.height) * at.y
    this.show()
  }

  private move(dx: number, dy: number): void {
    this.view.x += dx
    this.view.y += dy
    this.show()
  }

  private buttons(): void {
    const tools = this.paper.parentElement?.querySelector<HTMLElement>('[data-tools]')
    if (tools === null || tools === undefined) return
    tools.hidden = false
    for (const button of tools.querySelectorAll<HTMLButtonElement>('[data-zoom]'))
      button.addEventListener('click', () => {
        if (button.dataset['zoom'] === 'fit') this.focus('')
        else this.zoom(button.dataset['zoom'] === 'in' ? 0.75 : 1 / 0.75)
      })
    this.select?.addEventListener('change', () => {
      const slug = this.select?.value ?? ''
      history.replaceState(null, '', slug === '' ? location.pathname : `#focus=${encodeURIComponent(slug)}`)
      this.focus(slug)
    })
  }

  private get select(): HTMLSelectElement | null {
    return this.paper.parentElement?.querySelector<HTMLSelectElement>('[data-focus]') ?? null
  }

  private mouse(): void {
    const fingers = new Map<number, { x: number; y: number }>()
    let moved = 0
    const scale = (): number => this.view.width / Math.max(1, this.paper.clientWidth)
    this.paper.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return
      moved = 0
      fingers.set(event.pointerId, { x: event.clientX, y: event.clientY })
    })
    this.paper.addEventListener('pointermove', (event) => {
      const was = fingers.get(event.pointerId)
      if (was === undefined) return
      const [dx, dy] = [event.clientX - was.x, event.clientY - was.y]
      const [other] = [...fingers].filter(([id]) => id !== event.pointerId).map(([, place]) => place)
      if (other === undefined) this.move(-dx * scale(), -dy * scale())
      else {
        const before = Math.hypot(was.x - other.x, was.y - other.y)
        const after = Math.hypot(event.clientX - other.x, event.clientY - other.y)
        if (before > 0 && after > 0) this.zoom(before / after)
      }
      moved += Math.abs(dx) + Math.abs(dy)
      // Only what is dragged is held on to: a click belongs to the table under it.
      if (moved > 4 && !this.paper.hasPointerCapture(event.pointerId))
        this.paper.setPointerCapture(event.pointerId)
      fingers.set(event.pointerId, { x: event.clientX, y: event.clientY })
    })
    for (const end of ['pointerup', 'pointercancel'] as const)
      this.paper.addEventListener(end, (event) => fingers.delete(event.pointerId))
    this.paper.addEventListener(
      'click',
      (event) => {
        if (moved > 4) event.preventDefault()
      },
      { capture: true },
    )
    this.paper.addEventListener('dragstart', (event) => {
      event.preventDefault()
    })
    this.paper.addEventListener(
      'wheel',
      (event) => {
        // Without a key the page scrolls, as it does everywhere else.
        if (!event.ctrlKey && !event.metaKey) return
        event.preventDefault()
        const box = this.paper.getBoundingClientRect()
        this.zoom(Math.exp(event.deltaY / 300), {
          x: (event.clientX - box.left) / box.width,
          y: (event.clientY - box.top) / box.height,
        })
      },
      { passive: false },
    )
  }

  private keys(): void {
    const step = (): number => this.view.width / 12
    const does: Record<string, () => void> = {
      ArrowLeft: () => {
        this.move(-step(), 0)
      },
      ArrowRight: () => {
        this.move(step(), 0)
      },
      ArrowUp: () => {
        this.move(0, -step())
      },
      ArrowDown: () => {
        this.move(0, step())
      },
      '+': () => {
        this.zoom(0.75)
      },
      '=': () => {
        this.zoom(0.75)
      },
      '-': () => {
        this.zoom(1 / 0.75)
      },
      '0': () => {
        this.focus('')
      },
    }
    this.paper.addEventListener('keydown', (event) => {
      const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : does[event.key]
      if (act === undefined) return
      event.preventDefault()
      act()
    })
    // Who goes through the tables by the keyboard sees the one that is meant.
    this.paper.addEventListener('focusin', (event) => {
      const table = event.target instanceof Element ? event.target.querySelector('.er-table') : null
      if (
        table instanceof SVGGraphicsElement &&
        event.target !== this.paper &&
        event.target instanceof Element &&
        event.target.matches(':focus-visible')
      ) {
        const { x, y, width, height } = table.getBBox()
        const { view } = this
        const isSeen =
          x >= view.x && y >= view.y && x + width <= view.x + view.width && y + height <= view.y + this.height
        if (!isSeen)
          this.move(x + width / 2 - view.x - view.width / 2, y + height / 2 - view.y - this.height / 2)
      }
    })
  }

  // ---- neighbourhoods

  private linksOf(keys: (from: string, to: string) => boolean): readonly SVGGElement[] {
    return [...this.svg.querySelectorAll<SVGGElement>('.er-link')].filter((link) =>
      keys(link.dataset['from'] ?? '', link.dataset['to'] ?? ''),
    )
  }

  /** What the pointer or the keyboard is at stands out with its lines. */
  private highlight(): void {
    for (const table of this.svg.querySelectorAll<SVGGElement>('.er-table')) {
      const key = table.dataset['key'] ?? ''
      const around = table.parentElement ?? table
      const mark = (isOn: boolean): void => {
        for (const link of this.linksOf((from, to) => from === key || to === key))
          link.classList.toggle('er-near', isOn)
      }
      for (const [event, isOn] of [
        ['pointerenter', true],
        ['pointerleave', false],
        ['focusin', true],
        ['focusout', false],
      ] as const)
        around.addEventListener(event, () => {
          mark(isOn)
        })
    }
  }

  private focusFromAddress(): void {
    const slug = /^#focus=(.*)$/.exec(location.hash)?.[1]
    if (slug !== undefined) this.focus(decodeURIComponent(slug))
  }

  /** Everything but a table, its lines and what they lead to steps back. */
  private focus(slug: string): void {
    const tables = [...this.svg.querySelectorAll<SVGGElement>('.er-table')]
    const chosen = tables.some((table) => table.dataset['key'] === slug) ? slug : ''
    if (this.select !== null) this.select.value = chosen
    this.svg.classList.toggle('er-focused', chosen !== '')
    const links = chosen === '' ? [] : this.linksOf((from, to) => from === chosen || to === chosen)
    const near = new Set([
      chosen,
      ...links.flatMap((link) => [link.dataset['from'] ?? '', link.dataset['to'] ?? '']),
    ])
    for (const link of this.svg.querySelectorAll('.er-link'))
      link.classList.toggle('er-kept', links.includes(link as SVGGElement))
    for (const table of tables) table.classList.toggle('er-kept', near.has(table.dataset['key'] ?? ''))
    if (chosen === '') {
      this.fit()
      return
    }
    const boxes = tables
      .filter((table) => near.has(table.dataset['key'] ?? ''))
      .map((table) => table.getBBox())
    const left = Math.min(...boxes.map(({ x }) => x))
    const top = Math.min(...boxes.map(({ y }) => y))
    this.fit({
      x: left,
      y: top,
      width: Math.max(...boxes.map(({ x, width }) => x + width)) - left,
      height: Math.max(...boxes.map(({ y, height }) => y + height)) - top,
    })
  }
}

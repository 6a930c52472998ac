import theme from 'vitepress/theme-without-fonts'
import { useRoute } from 'vitepress'
import { nextTick, onMounted, watch } from 'vue'
import './style.css'

/** The first page has no landmark for what it is about. */
const markHome = () => document.querySelector('.VPHome')?.setAttribute('role', 'main')

export default {
  extends: theme,
  setup() {
    const route = useRoute()
    onMounted(markHome)
    watch(
      () => route.path,
      () => nextTick(markHome)
    )
  }
}

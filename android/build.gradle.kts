// For apps, and not tried where the library is tested: there Maven builds the same sources (pom.xml), on the JVM.
buildscript {
    dependencies {
        // The Kotlin that is built into Android's plugin, in this release.
        classpath("org.jetbrains.kotlin:kotlin-gradle-plugin:2.4.21")
    }
}

plugins {
    id("com.android.library") version "9.5.0" apply false
}

subprojects {
    group = "dev.innsync"
    version = "0.1.0"
}

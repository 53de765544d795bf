plugins {
    id("com.android.library")
}

android {
    namespace = "dev.innsync.core"
    compileSdk = 36
    defaultConfig {
        minSdk = 26
        consumerProguardFiles("consumer-rules.pro")
    }
    sourceSets.named("main") {
        kotlin.directories.add("src/generated/kotlin")
    }
    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }
}

dependencies {
    api("org.jetbrains.kotlinx:kotlinx-coroutines-core:1.11.0")
    // With its native part for each of Android's processors.
    implementation("net.java.dev.jna:jna:5.19.1@aar")
}
